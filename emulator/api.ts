// From a request to an answer: key, rate limit, route. It touches no socket and posts nothing by itself.
import { createAuthToken, deleteAuthToken, deleteAuthTokens, listAuthTokens } from './auth-tokens.ts'
import { changeMessage, deleteMessage } from './change-message.ts'
import type { Answer, ApiRequest, ChatContext, Outcome } from './context.ts'
import { statusOf } from './error-codes.ts'
import { apiNotFound, ChatError, envelope, TOO_MANY } from './errors.ts'
import type { Keys } from './keys.ts'
import { type Budget, budgetHeaders, retryAfterSeconds, UserLimitExceeded } from './rate-limit.ts'
import { listThread, readMessage } from './read-messages.ts'
import { sendMessage, sendReply } from './send-message.ts'
import { createUser, readUser } from './users-api.ts'

export type Api = (request: ApiRequest) => Answer

type Handler = (context: ChatContext, request: ApiRequest, id: string, query: URLSearchParams) => Outcome

/** By method and path, an id in it written as a star. */
const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['POST messages', sendMessage],
  ['GET messages *', readMessage],
  ['PUT messages *', changeMessage],
  ['DELETE messages *', deleteMessage],
  ['POST messages * thread', sendReply],
  ['GET messages * thread', listThread],
  ['POST users', createUser],
  ['GET users *', (context, _request, uid) => readUser(context, uid)],
  ['POST users * auth_tokens', createAuthToken],
  ['GET users * auth_tokens', listAuthTokens],
  ['DELETE users * auth_tokens', deleteAuthTokens],
  ['DELETE users * auth_tokens *', deleteAuthToken]
])

function route(context: ChatContext, request: ApiRequest): Outcome {
  const [pathname = '', search = ''] = request.path.split('?', 2)
  const [, version, collection, id, leaf, leafId, ...rest] = pathname.split('/')
  const star = (part: string | undefined): string | undefined => (part === undefined ? undefined : '*')
  const called = [request.method, collection, star(id), leaf, star(leafId)]
  const handler = HANDLERS.get(called.filter(part => part !== undefined).join(' '))
  if (handler === undefined || version !== 'v3' || rest.length > 0) throw apiNotFound()
  return handler(context, request, decode(id ?? ''), new URLSearchParams(search))
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw apiNotFound()
  }
}

export function createApi(context: ChatContext, keys: Keys): Api {
  const { switches, rateLimit, now } = context

  const tooMany = (budget: Budget): Answer => ({
    status: statusOf('ERR_TOO_MANY_REQUESTS', switches.statuses),
    headers: {
      ...budgetHeaders(switches.rateLimitHeaders, budget, true),
      'Retry-After': String(retryAfterSeconds(budget, now()))
    },
    body: () => envelope('ERR_TOO_MANY_REQUESTS', TOO_MANY),
    posts: [],
    hangs: false
  })

  const refusal = (error: unknown, headers: Record<string, string>): Answer => {
    if (error instanceof UserLimitExceeded) return tooMany(error.budget)
    if (!(error instanceof ChatError)) throw error
    const body = envelope(error.code, error.message, error.refusal)
    return { status: statusOf(error.code, switches.statuses), headers, body: () => body, posts: [], hangs: false }
  }

  return request => {
    const budget = rateLimit.countOperation()
    const headers = budgetHeaders(switches.rateLimitHeaders, budget, false)
    try {
      keys.require(request.headers['apikey'])
      if (budget.exceeded) return tooMany(budget)
      const { posts = [], hangs = false, ...outcome } = route(context, request)
      return { status: 200, headers, posts, hangs, ...outcome }
    } catch (error) {
      return refusal(error, headers)
    }
  }
}
