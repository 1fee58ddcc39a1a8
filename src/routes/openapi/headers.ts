// Every header that a request may have, and every one that an answer can have, as the document describes them.
import { type TSchema, Type } from '@sinclair/typebox'

interface Described {
  readonly description: string
  readonly schema: TSchema
  readonly example?: string
}

export const REQUEST_HEADERS = {
  'Idempotency-Key': {
    description:
      'A new one for each new reply, 1 to 255 visible characters, bare or in quotes: then any retry is safe. Needed where `IDEMPOTENCY_KEY=required`.',
    schema: Type.String({ minLength: 1, maxLength: 512 }),
    example: '"8e03978e-40d5-43dd-bc93-6894a57f9324"'
  },
  Prefer: {
    description:
      '`wait=5` shortens the deadline, in seconds. Of a new reply also `return=minimal`, which answers with the id alone, and `handling=explain`, which sends nothing (RFC 7240).',
    schema: Type.String(),
    example: 'wait=5'
  },
  'X-Acting-For': {
    description: 'The user whom a service acts for, where its token has the scope for it.',
    schema: Type.String(),
    example: 'alice'
  },
  'X-Signed-In-As': {
    description:
      'The `uid` of `GET /me` that the call is meant for: `401` where the credential is of somebody else by now.',
    schema: Type.String(),
    example: 'alice'
  },
  'X-CSRF': {
    description: 'Proof of origin for a call with a cookie, where the browser itself sends none: any value.',
    schema: Type.String(),
    example: '1'
  },
  'X-Request-Id': {
    description: '8 to 64 letters, digits, `.`, `_`, `-`: kept as the name of this request; anything else is replaced.',
    schema: Type.String(),
    example: '7c9e6679-7425-40de-944b-e07fc1f90ae7'
  },
  traceparent: {
    description: 'W3C trace context: forwarded to CometChat, or linked to the trace of this service.',
    schema: Type.String(),
    example: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  },
  'If-None-Match': {
    description: 'The `ETag` of the document that is known already.',
    schema: Type.String(),
    example: '"7cdb2f0e"'
  }
} as const satisfies Record<string, Described>
export type RequestHeader = keyof typeof REQUEST_HEADERS

export const ANSWER_HEADERS = {
  'X-Request-Id': {
    description: 'The name of this request, in the log, too.',
    schema: Type.String({ pattern: '^[A-Za-z0-9._-]{8,64}$' })
  },
  'Cache-Control': { description: 'What may be kept: nothing, where it is `no-store`.', schema: Type.String() },
  'X-Content-Type-Options': {
    description: 'A browser guesses no other type.',
    schema: Type.String({ const: 'nosniff' })
  },
  RateLimit: {
    description:
      "What is left of the caller's limits, and when there is more (draft-ietf-httpapi-ratelimit-headers-10).",
    schema: Type.String(),
    example: '"user";r=29;t=2'
  },
  'RateLimit-Policy': {
    description: "The caller's limits: messages, in a window of seconds.",
    schema: Type.String(),
    example: '"user";q=30;w=60'
  },
  'Idempotent-Replayed': {
    description: 'The answer that this key has got before: nothing was sent now.',
    schema: Type.String({ const: 'true' })
  },
  'Preference-Applied': {
    description: 'Which `Prefer` was followed.',
    schema: Type.String({ enum: ['return=minimal', 'handling=explain'] })
  },
  'Retry-After': {
    description: 'Not before so many seconds; only where the same request may be sent again.',
    schema: Type.String({ pattern: '^[1-9]\\d*$' }),
    example: '1'
  },
  'WWW-Authenticate': {
    description: 'How to sign in, and what is wrong with the token (RFC 6750).',
    schema: Type.String(),
    example: 'Bearer error="invalid_token"'
  },
  Allow: { description: 'The methods that are answered here.', schema: Type.String(), example: 'GET, POST' },
  Location: { description: 'Where the browser goes on.', schema: Type.String() },
  'Set-Cookie': { description: 'A cookie of the sign-in, or its end.', schema: Type.String() },
  'Referrer-Policy': {
    description: 'No other site learns this address.',
    schema: Type.String({ const: 'no-referrer' })
  },
  'Content-Security-Policy': { description: 'The page runs and loads nothing.', schema: Type.String() },
  'X-Frame-Options': { description: 'No other page frames it.', schema: Type.String({ const: 'DENY' }) },
  ETag: { description: 'Names this very document.', schema: Type.String() },
  'Access-Control-Allow-Origin': { description: 'Any page may read it.', schema: Type.String() }
} as const satisfies Record<string, Described>
export type AnswerHeader = keyof typeof ANSWER_HEADERS

/** On every answer, refusals included. */
export const ALWAYS: readonly AnswerHeader[] = ['X-Request-Id', 'Cache-Control', 'X-Content-Type-Options']
