import { floorMs, jitterMs } from './back-off.ts'
import type { Core } from './core.ts'
import { isOffline } from './environment.ts'
import { type Answer, exchange, type Json, problemOf } from './exchange.ts'
import type { Problem } from './problems.ts'
import type { Shelf } from './shelf.ts'

export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly path: string
  /** Already JSON. */
  readonly body?: string
  readonly key?: string
  readonly keepalive?: boolean
  /** Whether the answer is one of this route of the service, and whole. */
  readonly isWhole: (json: Json) => unknown
}

interface Me {
  readonly owner: string
  readonly uid: string
  /** Of a bearer; this very token is sent, so that nobody can sign in in between. */
  readonly token: string | undefined
  readonly problem?: undefined
}
/** Who it is, or why that cannot be said. */
type Found = Me | { readonly problem: Problem; readonly token?: string | undefined; readonly owner?: undefined }

const isRefused = ({ problem }: Answer): boolean => problem?.code === 'unauthenticated'

/** Who is signed in, and what is sent in their name. */
export interface Session {
  /** Sends one request as `owner` and as nobody else, and after a 401 once more with a renewed credential; without one asks who is signed in. */
  call(request?: Request, owner?: string): Promise<Answer>
  /** Asks who it is, until there is an answer. */
  ask(): Promise<void>
  /** Reads who was signed in last. */
  load(): Promise<void>
  /** Somebody else may be signed in from now on. */
  forget(): void
}

export function createSession(core: Core, shelf: Shelf, wantTurn: (owner: string | undefined) => void): Session {
  const { auth, early, entries } = core
  let me: Me | undefined
  /** By the token that was refused: the questions that are under way. */
  const finding = new Map<string | undefined, Promise<Found>>()
  let tries = 0
  /** Goes up when somebody else may have signed in. */
  let era = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function send({ method, path, body, key, keepalive, isWhole }: Request, token?: string, uid?: string) {
    const headers = {
      ...(token ? { authorization: `Bearer ${token}` } : { 'x-csrf': '1' }),
      ...(body && { 'content-type': 'application/json' }),
      ...(key && { 'idempotency-key': key }),
      // Nothing shows a page whose cookie is sent: the service refuses it as anybody else's.
      ...(uid && auth.cookie && { 'x-signed-in-as': uid })
    }
    // A cookie beside a token would be a second credential, which the service refuses.
    const credentials = auth.cookie ?? 'omit'
    const init = { method, headers, credentials, ...(body && { body, keepalive: !!keepalive }) } as const
    return exchange(core.fetch, core.url + path, init, isWhole)
  }

  async function find(refused: string | undefined): Promise<Found> {
    const foundIn = era
    let token: string | undefined
    try {
      token = await auth.bearer?.(refused)
    } catch {
      return { problem: problemOf('no-token') }
    }
    if (me && me.token === token) return me
    const { json, problem } = await send(
      { method: 'GET', path: '/me', isWhole: json => json.uid && json.issuer },
      token
    )
    // Whoever signed in meanwhile is asked about anew.
    if (foundIn !== era) return { problem: problemOf('other-account') }
    if (problem) return { problem, token }
    me = { owner: JSON.stringify([json.issuer, json.subject, json.uid]), uid: json.uid, token }
    recognize(me.owner)
    return me
  }

  /** Those who need it at the same time share one: a refresh token may be good for one use. */
  function identify(refused: string | undefined): Promise<Found> {
    const found = finding.get(refused) ?? find(refused).finally(() => finding.delete(refused))
    finding.set(refused, found)
    return found
  }

  async function call(request?: Request, owner?: string): Promise<Answer> {
    const calledIn = era
    const first = await callOnce(undefined, request, owner)
    if (!isRefused(first.answer)) return first.answer
    const { answer } = await callOnce(first.token ?? '', request, owner)
    if (isRefused(answer) && calledIn === era) {
      core.isSignedOut = true
      core.changed()
    }
    return answer
  }

  async function callOnce(refused: string | undefined, request?: Request, owner?: string) {
    const found = await identify(refused)
    const answer = await answerTo(found, request, owner)
    if (isRefused(answer) && me === found) me = undefined
    return { answer, token: found.token }
  }

  async function answerTo(found: Found, request?: Request, owner?: string): Promise<Answer> {
    // Nothing but the question who it is was sent.
    if (found.problem) return { problem: { ...found.problem, delivery: 'not-sent' } }
    if (owner && owner !== found.owner) return { problem: problemOf('other-account') }
    return request ? send(request, found.token, found.uid) : { json: found }
  }

  function recognize(owner: string): void {
    const isLast = core.shown === owner
    tries = 0
    core.owner = core.shown = owner
    if (!isLast) void shelf.write('me', owner)
    for (const [key, wasAsked] of early) {
      const entry = entries.get(key)
      if (entry && (wasAsked || isLast)) void shelf.put({ ...entry, owner })
    }
    early.clear()
    wantTurn(owner)
    core.changed()
  }

  async function ask(): Promise<void> {
    clearTimeout(timer)
    if (core.isClosed || core.isAsking || isOffline()) return
    core.isAsking = true
    const askedIn = era
    const { problem } = await call()
    if (askedIn !== era) return
    core.isAsking = false
    // What was sent meanwhile has no owner: who signs in later may be somebody else.
    for (const key of early.keys()) early.set(key, false)
    if (problem?.retryable) timer = setTimeout(ask, floorMs(problem) + jitterMs(core, problem, tries++))
    core.changed()
  }

  core.ends.push(() => {
    // What is on its way is heard by nobody.
    era++
    clearTimeout(timer)
  })
  return {
    call,
    ask,
    async load() {
      const loadedIn = era
      const stored = await core.storage.getItem(`${core.name}me`)
      if (loadedIn !== era || core.owner) return
      core.shown = stored ?? undefined
      wantTurn(core.shown)
    },
    forget() {
      era++
      me = core.owner = core.shown = undefined
      finding.clear()
      early.clear()
      core.isAsking = core.isSignedOut = false
      void shelf.write('me', undefined)
      wantTurn(undefined)
      core.changed()
      void ask()
    }
  }
}
