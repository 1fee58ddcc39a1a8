import { type Static, Type } from '@sinclair/typebox'
import { OneOf } from '../http/guard/strict-schemas.ts'
import { ProblemSchema } from '../http/problem-schema.ts'

const Identity = Type.Object(
  {
    scheme: Type.String({ description: 'How the caller signed in.' }),
    issuer: Type.String({ description: 'Whose user it is.' }),
    subject: Type.String(),
    uid: Type.String({ description: 'As whom CometChat would see them.' }),
    actors: Type.Optional(Type.Array(Type.String(), { description: 'Services that act for them, nearest first.' }))
  },
  { description: 'The caller, as the line in the log names them.' }
)

const Policy = Type.Object({
  policy: Type.String({ description: 'docs/limits.md explains each.' }),
  limit: Type.Integer({ description: 'Messages in any minute.' }),
  remaining: Type.Integer(),
  nextInMs: Type.Optional(Type.Integer({ description: 'When there is more of it.' }))
})

const Decision = Type.Object({
  action: OneOf(['send', 'replay', 'search', 'refuse']),
  messageId: Type.Optional(Type.String({ description: 'The reply that was sent under this key before.' })),
  problem: Type.Optional(ProblemSchema),
  reason: Type.Optional(Type.String({ description: 'What the log would say beside the problem.' }))
})

const UpstreamRequest = Type.Object(
  {
    method: Type.String(),
    url: Type.String(),
    headers: Type.Record(Type.String(), Type.String(), { description: 'The key is its fingerprint.' }),
    body: Type.Unknown()
  },
  { description: 'What CometChat would be sent; absent where its receiver is not known and nothing would be sent.' }
)

/** What would become of a reply; nothing is sent. */
export const ReplyExplained = Type.Object(
  {
    identity: Identity,
    limits: Type.Object({
      mode: Type.String({ description: 'LIMIT_MODE' }),
      policies: Type.Array(Policy)
    }),
    decision: Decision,
    request: Type.Optional(UpstreamRequest)
  },
  { description: 'Nothing was sent: this is what would become of the reply now.' }
)
export type ReplyExplained = Static<typeof ReplyExplained>
