import { type Static, Type } from '@sinclair/typebox'
import { OneOf } from '../http/guard/strict-schemas.ts'
import { ProblemSchema } from '../http/problem-schema.ts'

const Identity = Type.Object(
  {
    scheme: Type.String({ description: 'How the caller signed in.' }),
    issuer: Type.String({ description: 'Whose user it is.' }),
    subject: Type.String({ description: 'Which user of the issuer.' }),
    uid: Type.String({ description: 'As whom CometChat would see them.' }),
    actors: Type.Optional(Type.Array(Type.String(), { description: 'Services that act for them, nearest first.' }))
  },
  { title: 'ExplainedIdentity', description: 'The caller, as the line in the log names them.' }
)

const Policy = Type.Object(
  {
    policy: Type.String({ description: 'docs/limits.md explains each.' }),
    limit: Type.Integer({ description: 'Messages in any minute.' }),
    remaining: Type.Integer({ description: 'What is left of them now.' }),
    nextInMs: Type.Optional(Type.Integer({ description: 'When there is more of it, in milliseconds.' }))
  },
  { title: 'ExplainedPolicy', description: 'How a limit of the caller stands.' }
)

const Decision = Type.Object(
  {
    action: OneOf(['send', 'replay', 'search', 'refuse'], { description: 'What would be done now.' }),
    messageId: Type.Optional(Type.String({ description: 'The reply that was sent under this key before.' })),
    problem: Type.Optional(ProblemSchema),
    reason: Type.Optional(Type.String({ description: 'What the log would say beside the problem.' }))
  },
  { title: 'ExplainedDecision', description: 'What would become of the reply.' }
)

const UpstreamRequest = Type.Object(
  {
    method: Type.String({ description: 'Of HTTP.' }),
    url: Type.String({ description: "CometChat's address for it." }),
    headers: Type.Record(Type.String(), Type.String(), { description: 'The key is its fingerprint.' }),
    body: Type.Unknown({ description: 'As CometChat would get it.' })
  },
  {
    title: 'ExplainedRequest',
    description: 'What CometChat would be sent; absent where its receiver is not known and nothing would be sent.'
  }
)

/** What would become of a reply; nothing is sent. */
export const ReplyExplained = Type.Object(
  {
    identity: Identity,
    limits: Type.Object(
      {
        mode: Type.String({ description: '`LIMIT_MODE` of this service.' }),
        policies: Type.Array(Policy, { description: 'Each limit of the caller.' })
      },
      { title: 'ExplainedLimits', description: 'How the limits of the caller stand.' }
    ),
    decision: Decision,
    request: Type.Optional(UpstreamRequest)
  },
  { title: 'ReplyExplained', description: 'Nothing was sent: this is what would become of the reply now.' }
)
export type ReplyExplained = Static<typeof ReplyExplained>
