import { type Static, Type } from '@sinclair/typebox'
import type { LimitPolicy } from '../errors.ts'
import { type DeliveryState, PROBLEMS, type ProblemCode, type Whose } from '../lib/refusals/problems.ts'
import type { Violation } from '../lib/refusals/violations.ts'
import { OneOf } from './guard/strict-schemas.ts'

const ViolationSchema = Type.Object(
  {
    pointer: Type.String({ description: 'RFC 6901 JSON pointer into the body, the path or the query.' }),
    code: Type.String({
      description: 'One of a closed list, or the code that CometChat gave: docs/problems.md has both.'
    }),
    detail: Type.String({ description: 'What to change, in English.' }),
    limit: Type.Optional(Type.Number({ description: 'The most, or the least, that is allowed.' })),
    actual: Type.Optional(Type.Number({ description: 'What there is, in the same unit.' }))
  },
  { title: 'Violation', description: 'One thing that is wrong with the request; it never repeats a value.' }
)

/** The body of every refusal: RFC 9457, with the members of this service. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({
      format: 'uri',
      description: 'A stable name of the problem: `urn:thread-reply-bff:problem:` and the code.'
    }),
    title: Type.String({ description: 'The problem in a few words of English.' }),
    status: Type.Integer({ description: 'That of the answer.' }),
    detail: Type.String({ description: 'What happened this time, in English.' }),
    instance: Type.String({ format: 'uri', description: '`urn:request:` and the request id.' }),
    code: Type.Unsafe<ProblemCode>({
      type: 'string',
      enum: Object.keys(PROBLEMS),
      description: 'What happened; a code never changes its meaning. docs/problems.md explains each.'
    }),
    delivery: OneOf(['sent', 'not-sent', 'unknown'] as const satisfies readonly DeliveryState[], {
      description: '`not-sent`: it did not happen. `sent`: it did. `unknown`: nobody can tell yet.'
    }),
    retryable: Type.Boolean({ description: 'The same request may be sent again as it is, under the same key.' }),
    whose: OneOf(['user', 'developer', 'operator'] as const satisfies readonly Whose[], {
      description: 'Who can do something about it: the user of the app, its developer, the operator of this service.'
    }),
    retryAfterMs: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Not before so many milliseconds; also as `Retry-After` in seconds.' })
    ),
    messageId: Type.Optional(Type.String({ description: 'The message that exists although the call failed.' })),
    errors: Type.Optional(
      Type.Unsafe<readonly Violation[]>(Type.Array(ViolationSchema, { description: 'What is wrong with the request.' }))
    ),
    // The member of draft-ietf-httpapi-ratelimit-headers-10 §6.
    'violated-policies': Type.Optional(
      Type.Unsafe<readonly LimitPolicy[]>(
        Type.Array(Type.String(), { description: 'The limits that refused it: docs/limits.md explains each.' })
      )
    )
  },
  { title: 'Problem', description: 'Why a request was refused, and what became of the reply (RFC 9457).' }
)
export type Problem = Readonly<Static<typeof ProblemSchema>>
