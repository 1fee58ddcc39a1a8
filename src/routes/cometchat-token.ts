import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { credentialRefusal } from '../auth/reasons.ts'
import { CALLER } from '../auth/require-caller.ts'
import { StrictObject } from '../http/guard/strict-schemas.ts'
import { parsePrefer } from '../http/head/prefer.ts'
import { TRACE } from '../http/lifecycle.ts'
import { FACTS, noteAttempt } from '../observability/log-fields.ts'
import type { SdkTokens } from '../sdk-tokens/sdk-tokens.ts'

export interface CometChatTokenOptions {
  readonly tokens: SdkTokens
  readonly appId: string
  readonly region: string
  /** The longest that a call may take, in milliseconds. */
  readonly deadlineMs: number
  readonly monotonic: () => number
}

type Deadline = Parameters<SdkTokens['take']>[1]

/** Nothing, or an object with nothing in it: who the token is for comes from the credential. */
export const NoBody = Type.Union([StrictObject({}), Type.Null()])

export const CometChatToken = Type.Object(
  {
    uid: Type.String({ description: 'Whom it signs in.' }),
    appId: Type.String({ description: "Of CometChat's app, for `CometChat.init`." }),
    region: Type.String({ description: "Of CometChat's app." }),
    authToken: Type.String({ description: 'A secret, for `CometChat.login({ authToken })`; it does not expire.' })
  },
  {
    title: 'CometChatToken',
    description: "What CometChat's SDK is initialised and signed in with; the same at each call of one sign-in."
  }
)

export const TokenRevoked = Type.Object(
  { revoked: Type.Boolean({ description: 'False where this sign-in has none: nothing was to be done.' }) },
  { title: 'TokenRevoked', description: 'The token of this sign-in is worth nothing any more.' }
)

/** `POST` and `DELETE /cometchat/token`: the auth token that CometChat's SDK signs the caller in with. */
export const cometchatTokenRoutes: FastifyPluginAsyncTypebox<CometChatTokenOptions> = async (app, options) => {
  const { tokens, appId, region } = options

  app.post(
    '/cometchat/token',
    {
      schema: { body: NoBody, response: { 200: CometChatToken, 201: CometChatToken } },
      config: { operation: 'take-sdk-token', isRepeatable: true, needsNoBody: true }
    },
    async (request, response) => {
      checkHolder(request)
      const { token, isNew } = await tokens.take(request[CALLER], deadlineOf(request, options))
      response.code(isNew ? 201 : 200)
      return { uid: request[CALLER].uid, appId, region, authToken: token.reveal() }
    }
  )

  app.delete(
    '/cometchat/token',
    { schema: { response: { 200: TokenRevoked } }, config: { operation: 'revoke-sdk-token', needsNoBody: true } },
    async request => {
      checkHolder(request)
      return { revoked: await tokens.revoke(request[CALLER], deadlineOf(request, options)) }
    }
  )
}

/** A service that acts for users would hold tokens of all of them, which outlive its own. */
function checkHolder({ [CALLER]: caller }: FastifyRequest): void {
  if (caller.actors.length === 0 || caller.mayTakeSdkTokens) return
  throw credentialRefusal(
    'forbidden',
    'sdk-token-scope',
    'A service that acts for a user gets no token of theirs here.'
  )
}

function deadlineOf(
  { headers, [FACTS]: facts, [TRACE]: trace }: FastifyRequest,
  options: CometChatTokenOptions
): Deadline {
  const { deadlineMs, monotonic } = options
  const { waitMs = deadlineMs } = parsePrefer(headers['prefer']?.toString())
  return {
    atMs: monotonic() + Math.min(waitMs, deadlineMs),
    isShortened: waitMs < deadlineMs,
    onAttempt: attempt => noteAttempt(facts, attempt),
    ...(trace && { trace })
  }
}
