// A service that keeps its promises as docs/delivery.md gives them, in memory, with a network that the test spoils; and
// time that goes on when the test says so.
import { mock } from 'node:test'
import type { Test } from 'tap'
import { createRandom } from '../../emulator/random.ts'
import { createThreadReplies } from '../../packages/client/src/index.ts'
import type { Reply, ReplyStorage, ThreadReplies, ThreadRepliesOptions } from '../../packages/client/src/types.ts'

export interface Call {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly text: string | undefined
  readonly init: RequestInit
}

export interface Answered {
  readonly status: number
  readonly json?: unknown
  readonly text?: string
  readonly headers?: Record<string, string>
}

/** What becomes of one call: undefined is that of a service where all is well; a rejection is a broken network. */
export type Weather = (call: Call, serve: () => Answered) => Answered | Promise<Answered> | undefined

export const BEGIN_MS = 1_790_000_000_000
export const THREAD = '100'

let worlds = 0

/** Stops the clock of this process until the test ends. */
export function stopClock(t: Test) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: BEGIN_MS })
  // Whatever clears a timer later would clear the one of the next test that has its number.
  t.teardown(async () => {
    await flush()
    mock.timers.reset()
  })
  return {
    /** Lets time pass, in steps so small that whatever begins in it takes its own time. */
    async pass(ms: number, steps = 20): Promise<void> {
      for (let step = 0; step < steps; step++) {
        mock.timers.tick(Math.ceil(ms / steps))
        await flush()
      }
    }
  }
}

/** Until nothing but time is waited for. */
export async function flush(): Promise<void> {
  for (let turn = 0; turn < 25; turn++) await new Promise(resolve => setImmediate(resolve))
}

export class World {
  readonly calls: Call[] = []
  /** What stands in the threads. */
  readonly posted: { key: string; threadId: string; text: unknown; as: string; id: string }[] = []
  /** By token, or `cookie`. */
  readonly users = new Map<string, string>()
  readonly items = new Map<string, string>()
  readonly url = `https://replies-${++worlds}.test`
  weather: Weather = () => undefined
  readonly #t: Test
  readonly #random = createRandom(7)

  constructor(t: Test) {
    this.#t = t
    this.users.set('alice-token', 'alice').set('bob-token', 'bob').set('cookie', 'alice')
  }

  readonly storage: ReplyStorage = {
    getItem: async name => this.items.get(name) ?? null,
    setItem: async (name, value) => void this.items.set(name, value),
    removeItem: async name => void this.items.delete(name),
    getAllKeys: async () => [...this.items.keys()]
  }

  /** A page, or another tab of it. */
  open(options: Partial<ThreadRepliesOptions> = {}): ThreadReplies {
    const client = createThreadReplies({
      url: this.url,
      auth: { bearer: async () => 'alice-token' },
      storage: this.storage,
      fetch: this.fetch,
      random: this.#random,
      ...options
    })
    this.#t.teardown(() => client.close())
    return client
  }

  /** Waits, by the clock of the test, for nothing: the promises of a client settle in turns of the event loop. */
  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const headers = Object.fromEntries(new Headers(init.headers))
    const text = typeof init.body === 'string' ? init.body : undefined
    const call: Call = { method: init.method ?? 'GET', path: url.slice(this.url.length), headers, text, init }
    this.calls.push(call)
    const serve = (): Answered => this.#serve(call)
    const { status, json, text: body, headers: more } = (await this.weather(call, serve)) ?? serve()
    return new Response(body ?? JSON.stringify(json), { status, ...(more && { headers: more }) })
  }

  /** The calls that would post or change something. */
  get posts(): readonly Call[] {
    return this.calls.filter(({ method }) => method !== 'GET')
  }

  #serve({ method, path, headers, text, init }: Call): Answered {
    const cookie = init.credentials === 'omit' ? '' : 'cookie'
    const user = this.users.get(headers['authorization']?.slice(7) ?? cookie)
    const isOther = headers['x-signed-in-as'] !== undefined && headers['x-signed-in-as'] !== user
    if (!user || isOther) return refusal(401, 'unauthenticated')
    if (path === '/me') return { status: 200, json: { uid: user, issuer: 'https://issuer.test', subject: user } }
    return this.#serveThread(user, { method, path, headers, text })
  }

  #serveThread(user: string, { method, path, headers, text }: Omit<Call, 'init'>): Answered {
    const [, threadId = '', rest = ''] = /^\/threads\/(\d+)\/replies\/?(.*)$/.exec(path.replace(/\?.*/, '')) ?? []
    const json = text === undefined ? undefined : JSON.parse(text)
    if (method === 'POST') return this.#post(user, threadId, headers['idempotency-key'] ?? '', json)
    if (method === 'PATCH') return this.#change(rest, json)
    if (rest.startsWith('by-key/')) {
      const found = this.posted.find(({ key, as }) => key === decodeURIComponent(rest.slice(7)) && as === user)
      return { status: 200, json: found ? { delivery: 'sent', data: messageOf(found) } : { delivery: 'unknown' } }
    }
    return {
      status: 200,
      json: { data: this.posted.filter(one => one.threadId === threadId).map(messageOf), page: {} }
    }
  }

  #post(as: string, threadId: string, key: string, json: { data: { text: unknown } }): Answered {
    const known = this.posted.find(one => one.key === key && one.as === as)
    const reply = known ?? { key, threadId, text: json.data.text, as, id: String(1000 + this.posted.length) }
    if (!known) this.posted.push(reply)
    return { status: 201, json: { data: messageOf(reply) } }
  }

  #change(id: string, json: { data: { text: unknown } }): Answered {
    const found = this.posted.find(one => one.id === id)
    if (!found) return refusal(404, 'thread-not-found')
    found.text = json.data.text
    return { status: 200, json: { data: messageOf(found) } }
  }
}

function messageOf({ id, text, as }: { id: string; text: unknown; as: string }) {
  return { id, sender: as, data: { text } }
}

export function refusal(status: number, code: string, more: object = {}): Answered {
  return { status, json: { code, status, delivery: 'not-sent', retryable: false, title: code, ...more } }
}

export const isPost = ({ method }: Call): boolean => method === 'POST'

/** Weather that comes once each, for calls that post; then it is good. */
export function once(...each: readonly Weather[]): Weather {
  const left = [...each]
  return (call, serve) => (isPost(call) ? left.shift()?.(call, serve) : undefined)
}

export const lostBefore: Weather = () => {
  throw new TypeError('fetch failed')
}
export const lostAfter: Weather = (_call, serve) => {
  serve()
  throw new TypeError('fetch failed')
}
export const gateway: Weather = () => ({ status: 502, text: '<html>Bad Gateway</html>' })

/** A service without a page yet, by a clock that stands until the test lets time pass. */
export function openWorld(t: Test) {
  return { ...stopClock(t), world: new World(t) }
}

/** A page that is open and follows its thread, in a world of its own. */
export function openApp(t: Test, weather: Weather = () => undefined, options: Partial<ThreadRepliesOptions> = {}) {
  const { pass, world } = openWorld(t)
  world.weather = weather
  const client = world.open(options)
  return { pass, world, client, shown: follow(client) }
}

/** The latest that a client told of a thread. */
export function follow(client: ThreadReplies, threadId = THREAD) {
  let replies: readonly Reply[] = []
  const told: string[] = []
  client.subscribe(threadId, now => {
    replies = now
    told.push(now.map(({ state }) => state.is).join(' '))
  })
  return {
    told,
    get replies() {
      return replies
    },
    get states() {
      return replies.map(({ state }) => state.is)
    },
    get last() {
      return replies.at(-1)?.state
    }
  }
}

export const text = (words: string) => ({ data: { text: words } })
