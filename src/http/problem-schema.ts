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
    detail: Type.String(),
    limit: Type.Optional(Type.Number({ description: 'The most, or the least, that is allowed.' })),
    actual: Type.Optional(Type.Number({ description: 'What there is, in the same unit.' }))
  },
  { description: 'One thing that is wrong with the request; it never repeats a value.' }
)

/** The body of every refusal: RFC 9457, with the members of this service. */
export const ProblemSchema = Type.Object({
  type: Type.String({ format: 'uri', description: 'A stable name of the problem; docs/problems.md explains each.' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String({ format: 'uri', description: 'urn:request: and the request id.' }),
  code: Type.Unsafe<ProblemCode>({ type: 'string', enum: Object.keys(PROBLEMS) }),
  delivery: OneOf(['sent', 'not-sent', 'unknown'] as const satisfies readonly DeliveryState[]),
  retryable: Type.Boolean({ description: 'The same request may be sent again as it is, under the same key.' }),
  whose: OneOf(['user', 'developer', 'operator'] as const satisfies readonly Whose[]),
  retryAfterMs: Type.Optional(Type.Integer({ minimum: 0 })),
  messageId: Type.Optional(Type.String({ description: 'The message that exists although the call failed.' })),
  errors: Type.Optional(Type.Unsafe<readonly Violation[]>(Type.Array(ViolationSchema))),
  // The member of draft-ietf-httpapi-ratelimit-headers-10 §6.
  'violated-policies': Type.Optional(
    Type.Unsafe<readonly LimitPolicy[]>(
      Type.Array(Type.String(), { description: 'The limits that refused it: docs/limits.md explains each.' })
    )
  )
})
export type Problem = Readonly<Static<typeof ProblemSchema>>
