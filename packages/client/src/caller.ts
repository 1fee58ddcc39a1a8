import { type Answer, exchange, problemOf, type Request } from './exchange.ts'
import type { Auth } from './types.ts'

export interface CallerOptions {
  readonly url: string
  readonly auth: Auth
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Told at every answer of `GET /me`, before anything else is sent. */
  readonly onOwner: (owner: string) => void
}

export interface Caller {
  /** Sends one request as `owner` and as nobody else, and after a 401 once more with a renewed credential; without one asks who is signed in. */
  call(request?: Request, owner?: string): Promise<Answer>
  /** From now on somebody else may be signed in. */
  forget(): void
}

interface Me {
  readonly owner: string
  readonly uid: string
  /** Of a bearer; this very token is sent, so that nobody can sign in in between. */
  readonly token: string | undefined
}
/** Who it is, or why that cannot be said. */
type Found = Me | (Answer & { readonly owner?: undefined; readonly token?: string | undefined })

const NOT_SENT_AT_ALL = { delivery: 'not-sent', retryable: false } as const

export function createCaller({ url, auth, fetch, onOwner }: CallerOptions): Caller {
  let me: Me | undefined
  let asking: { readonly token: string | undefined; readonly found: Promise<Found> } | undefined
  /** Goes up when somebody else may have signed in. */
  let era = 0
  let renewing: { readonly refused: string | undefined; readonly token: Promise<string> } | undefined

  const initOf = (token: string | undefined, more: object = {}) => ({
    // A cookie beside a token would be a second credential, which the service refuses.
    credentials: auth.cookie ?? ('omit' as const),
    headers: { ...more, ...(token === undefined ? { 'x-csrf': '1' } : { authorization: `Bearer ${token}` }) }
  })

  async function ask(token: string | undefined): Promise<Found> {
    const request: Request = { method: 'GET', path: '/me', isWhole: json => !!json.uid && !!json.issuer }
    const { json, problem } = await exchange(fetch, url, request, initOf(token))
    if (problem) return { problem: { ...problem, delivery: 'not-sent' }, token }
    return { owner: JSON.stringify([json.issuer, json.subject, json.uid]), uid: json.uid, token }
  }

  /** Callers that need a token at the same time share one: a refresh token may be good for one use. */
  function tokenOf(refused: string | undefined): Promise<string> | undefined {
    if (!auth.bearer) return undefined
    if (renewing && renewing.refused === refused) return renewing.token
    const current = { refused, token: auth.bearer(refused) }
    const end = (): void => {
      if (renewing === current) renewing = undefined
    }
    current.token.then(end, end)
    renewing = current
    return current.token
  }

  async function find(refused: string | undefined): Promise<Found> {
    try {
      const token = await tokenOf(refused)
      if (auth.bearer && !token) return { problem: problemOf('unauthenticated', 401, NOT_SENT_AT_ALL) }
      return me && me.token === token ? me : await askOnce(token)
    } catch {
      return { problem: problemOf('no-token', 0, { delivery: 'not-sent' }) }
    }
  }

  async function askOnce(token: string | undefined): Promise<Found> {
    if (!asking || asking.token !== token) asking = { token, found: ask(token) }
    const current = asking
    const askedIn = era
    const found = await current.found
    if (asking === current) asking = undefined
    // Whoever signed in meanwhile is asked about anew.
    if (askedIn !== era) return { problem: problemOf('other-account', 0, { delivery: 'not-sent' }) }
    if (found.owner !== undefined && me !== found) {
      me = found
      onOwner(found.owner)
    }
    return found
  }

  async function once(request: Request | undefined, owner: string | undefined, found: Found): Promise<Answer> {
    if (found.owner === undefined) return found
    if (!request) return { json: found }
    if (owner !== undefined && owner !== found.owner) return { problem: problemOf('other-account') }
    const headers = {
      ...(request.body && { 'content-type': 'application/json' }),
      ...(request.key && { 'idempotency-key': request.key }),
      // Nothing shows a page whose cookie is sent: the service refuses it as anybody else's.
      ...(auth.cookie && { 'x-signed-in-as': found.uid })
    }
    return exchange(fetch, url, request, initOf(found.token, headers))
  }

  return {
    async call(request, owner) {
      const found = await find(undefined)
      const answer = await once(request, owner, found)
      if (answer.problem?.code !== 'unauthenticated') return answer
      if (me === found) me = undefined
      return once(request, owner, await find(found.token ?? ''))
    },
    forget() {
      me = undefined
      asking = undefined
      era++
    }
  }
}
