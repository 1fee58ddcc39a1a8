import type { Caller } from './caller.ts'
import { type Entry, inOrder, isFinal, SENDING } from './entries.ts'
import { isOffline } from './environment.ts'
import { type Answer, type Json, problemOf } from './exchange.ts'
import type { Outcomes } from './outcomes.ts'
import type { Shelf } from './shelf.ts'

/** The sum of what is under way, below the 64 KiB of the Fetch standard (§4.6), which other code of the page uses, too. */
const KEEPALIVE_BYTES = 60_000
const LONGEST_TIMER_MS = 2 ** 31 - 1

export interface QueueOptions {
  readonly shelf: Shelf
  readonly caller: Caller
  readonly outcomes: Outcomes
  readonly now: () => number
  /** Who is signed in, as the service said. */
  readonly owner: () => string | undefined
  /** Whether this tab sends. */
  readonly isMine: () => boolean
  /** Told whenever every state may be another one. */
  readonly onChange: () => void
}

export interface Queue {
  /** Sends what is due, in order in each thread, and comes back by itself. */
  pump(): void
  isBusy(key: string): boolean
  /** Whether it waits for a sign-in. */
  isPaused(): boolean
  pause(isPaused: boolean): void
  close(): void
}

/** The first one of each thread that is not settled; those behind it wait. */
export function headsOf(entries: Iterable<Entry>, owner: string | undefined): ReadonlyMap<string, Entry> {
  const heads = new Map<string, Entry>()
  for (const entry of entries) {
    if (entry.owner === undefined || entry.owner !== owner || isFinal(entry)) continue
    const head = heads.get(entry.threadId)
    if (!head || inOrder(entry, head) < 0) heads.set(entry.threadId, entry)
  }
  return heads
}

export function createQueue({ shelf, caller, outcomes, now, owner, isMine, onChange }: QueueOptions): Queue {
  /** By thread: the reply of which an answer is waited for. */
  const busy = new Map<string, string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isPumpDue = false
  let isPaused = false
  let isClosed = false
  let keptAliveBytes = 0

  /** After whatever is being done: several changes are one, and who takes back two replies takes back both. */
  function pump(): void {
    if (isPumpDue) return
    isPumpDue = true
    void Promise.resolve().then(() => {
      isPumpDue = false
      clearTimeout(timer)
      if (!isClosed && !isPaused && isMine() && !isOffline()) sendDue()
    })
  }

  function sendDue(): void {
    const idle = [...headsOf(shelf.entries.values(), owner()).values()].filter(({ threadId }) => !busy.has(threadId))
    const next = Math.min(...idle.map(dueAt))
    for (const entry of idle) if (dueAt(entry) <= now()) void run(entry)
    if (next > now() && next < Number.POSITIVE_INFINITY) {
      timer = setTimeout(pump, Math.min(LONGEST_TIMER_MS, next - now()))
    }
  }

  /** A clock that was set back would make a short wait a long one. */
  const dueAt = ({ until = 0, firstTryAt = 0, mustLookUp }: Entry): number =>
    firstTryAt <= now() || mustLookUp ? until : 0

  async function run(entry: Entry): Promise<void> {
    busy.set(entry.threadId, entry.key)
    const next = await attempt(entry)
    // Its outcome stands, also where the storage has no room for it.
    shelf.put(next).catch(() => undefined)
    busy.delete(entry.threadId)
    onChange()
    pump()
  }

  async function attempt(found: Entry): Promise<Entry> {
    // A tab that ended while it sent.
    const entry = found.state.is === 'sending' ? { ...found, mayExist: true } : found
    if (entry.mustLookUp) return outcomes.afterLookUp(entry, await lookUp(entry))
    return outcomes.isOld(entry) ? outcomes.aged(entry) : tryOnce(entry)
  }

  async function tryOnce(entry: Entry): Promise<Entry> {
    const tried = { ...entry, firstTryAt: entry.firstTryAt ?? now(), state: SENDING }
    try {
      await shelf.put(tried)
    } catch {
      return outcomes.failed(entry, problemOf('not-stored', 0, { delivery: 'not-sent', retryable: false }))
    }
    return outcomes.afterTry(entry, tried, await (entry.editOf ? patch(tried) : post(tried)))
  }

  async function call(request: Parameters<Caller['call']>[0], owner: string | undefined): Promise<Answer> {
    const answer = await caller.call(request, owner)
    if (answer.problem?.code === 'unauthenticated') isPaused = true
    return answer
  }

  async function post({ threadId, key, body, owner, tries }: Entry): Promise<Answer> {
    const text = JSON.stringify(body)
    // As bytes of UTF-8; what React Native has of TextEncoder differs from version to version.
    const bytes = encodeURIComponent(text).replace(/%../g, '-').length
    // A page that leaves need not wait for it. Other code may have used up the quota: a second try does without.
    const keepalive = tries === 0 && keptAliveBytes + bytes < KEEPALIVE_BYTES
    if (keepalive) keptAliveBytes += bytes
    const answer = await call(
      { method: 'POST', path: pathOf(threadId), body: text, key, keepalive, isWhole: hasMessage },
      owner
    )
    if (keepalive) keptAliveBytes -= bytes
    return answer
  }

  function patch({ threadId, editOf, body: { data, tags }, owner }: Entry): Promise<Answer> {
    const body = JSON.stringify({ data, tags })
    return call({ method: 'PATCH', path: `${pathOf(threadId)}/${editOf}`, body, isWhole: hasMessage }, owner)
  }

  function lookUp({ threadId, key, owner }: Entry): Promise<Answer> {
    const path = `${pathOf(threadId)}/by-key/${encodeURIComponent(key)}`
    return call({ method: 'GET', path, isWhole: ({ delivery }) => !!delivery }, owner)
  }

  return {
    pump,
    isBusy: key => [...busy.values()].includes(key),
    isPaused: () => isPaused,
    pause(wanted) {
      isPaused = wanted
    },
    close() {
      isClosed = true
      clearTimeout(timer)
    }
  }
}

const hasMessage = (json: Json): boolean => json.data?.id !== undefined

export function pathOf(threadId: string): string {
  return `/threads/${encodeURIComponent(threadId)}/replies`
}
