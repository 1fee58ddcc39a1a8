// The auth tokens that CometChat's SDK signs in with (docs/cometchat-facts.md §14): /users/{uid}/auth_tokens.
import { requireUser } from './access.ts'
import { MAX_TOKENS } from './auth-token-store.ts'
import type { ApiRequest, ChatContext, Outcome } from './context.ts'
import { badRequest, ChatError } from './errors.ts'
import { parseObject } from './message-body.ts'

export function createAuthToken(context: ChatContext, request: ApiRequest, id: string): Outcome {
  const { uid } = requireUser(context, id)
  const { force = false } = request.body === '' ? {} : parseObject(request.body)
  if (typeof force !== 'boolean') throw badRequest({ force: ['The force field must be true or false.'] })
  const { authTokens, switches } = context
  const latest = authTokens.tokensOf(uid).at(-1)
  if (latest && !force && switches.authTokenWithoutForce === 'latest') return { body: () => ({ data: latest }) }
  const token = authTokens.draw(uid)
  return { body: () => ({ data: token }), effect: () => authTokens.add(token) }
}

export function listAuthTokens(context: ChatContext, _request: ApiRequest, id: string): Outcome {
  const { uid } = requireUser(context, id)
  const data = context.authTokens.tokensOf(uid)
  const counts = { total: data.length, count: data.length, per_page: MAX_TOKENS, current_page: 1, total_pages: 1 }
  return { body: () => ({ data, meta: { pagination: counts } }) }
}

export function deleteAuthTokens(context: ChatContext, _request: ApiRequest, id: string): Outcome {
  const { uid } = requireUser(context, id)
  const message = `Cleared Auth Tokens successfully for uid ${uid}.`
  return { body: () => ({ data: { success: true, message } }), effect: () => context.authTokens.remove(uid) }
}

export function deleteAuthToken(context: ChatContext, request: ApiRequest, id: string): Outcome {
  const { uid } = requireUser(context, id)
  const given = request.path.split('/').at(-1) ?? ''
  const token = context.authTokens
    .tokensOf(uid)
    .find(({ authToken }) => encodeURIComponent(authToken) === given)?.authToken
  if (token === undefined)
    throw new ChatError('AUTH_ERR_AUTH_TOKEN_NOT_FOUND', `The auth token ${given} does not exist.`)
  const message = `Auth token of user with UID ${uid} has been deleted successfully.`
  return { body: () => ({ data: { success: true, message } }), effect: () => context.authTokens.remove(uid, token) }
}
