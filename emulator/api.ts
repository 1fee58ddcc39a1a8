// From a request to an answer: key, rate limit, route. It touches no socket and posts nothing by itself.
import type { Answer, ApiRequest, ChatContext, Outcome } from './context.ts'
import { apiNotFound, ChatError, envelope, statusOf, TOO_MANY } from './errors.ts'
import type { Keys } from './keys.ts'
import { type Budget, budgetHeaders, retryAfterSeconds, UserLimitExceeded } from './rate-limit.ts'
import { listThread, readMessage } from './read-messages.ts'
import { sendMessage, sendReply } from './send-message.ts'
import { createUser, readUser } from './users-api.ts'

export type Api = (request: ApiRequest) => Answer

function route(context: ChatContext, request: ApiRequest): Outcome {
  const [pathname = '', search = ''] = request.path.split('?', 2)
  const [, version, collection, rawId, leaf, ...rest] = pathname.split('/')
  if (version !== 'v3' || rest.length > 0) throw apiNotFound()
  const id = rawId === undefined ? undefined : decode(rawId)
  switch (
    [request.method, collection, ...(id === undefined ? [] : ['*']), ...(leaf === undefined ? [] : [leaf])].join(' ')
  ) {
    case 'POST messages':
      return sendMessage(context, request)
    case 'GET messages *':
      return readMessage(context, request, id ?? '')
    case 'POST messages * thread':
      return sendReply(context, request, id ?? '')
    case 'GET messages * thread':
      return listThread(context, request, id ?? '', new URLSearchParams(search))
    case 'POST users':
      return createUser(context, request)
    case 'GET users *':
      return readUser(context, id ?? '')
    default:
      throw apiNotFound()
  }
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
      const { body, posts = [], hangs = false } = route(context, request)
      return { status: 200, headers, body, posts, hangs }
    } catch (error) {
      return refusal(error, headers)
    }
  }
}
