import { type Core, isMine } from './core.ts'
import { type Entry, headsOf, SENDING } from './entries.ts'
import { isOffline } from './environment.ts'
import { type Json, problemOf } from './exchange.ts'
import { after, failed, isOld } from './outcomes.ts'
import type { Request, Session } from './session.ts'
import type { Shelf } from './shelf.ts'

/** The sum of what is under way, below the 64 KiB of the Fetch standard (§4.6), which other code of the page uses, too. */
const KEEPALIVE_BYTES = 60_000
/** Nothing waits for longer: the clock was set back. */
const LONGEST_WAIT_MS = 3_600_000

/** Gives the function that sends what is due, in order in each thread, and that comes back by itself. */
export function createQueue(core: Core, shelf: Shelf, { call }: Session): () => Promise<void> {
  const { now, busy } = core
  let timer: ReturnType<typeof setTimeout> | undefined
  let isPumpDue = false
  let keptAliveBytes = 0

  /** After whatever is being done: several changes are one, and who takes back two replies takes back both. */
  async function pump(): Promise<void> {
    if (isPumpDue) return
    isPumpDue = true
    await undefined
    isPumpDue = false
    clearTimeout(timer)
    if (canSend()) sendDue()
  }

  const canSend = (): boolean =>
    !core.isClosed && !core.isSignedOut && isMine(core) && core.owner !== undefined && !isOffline()

  function sendDue(): void {
    let next = LONGEST_WAIT_MS
    for (const entry of headsOf(core.entries.values(), core.owner).values()) {
      const waitMs = (entry.state.until ?? 0) - now()
      if (busy.has(entry.threadId)) continue
      if (waitMs > 0 && waitMs < LONGEST_WAIT_MS) next = Math.min(next, waitMs)
      else void run(entry)
    }
    if (next < LONGEST_WAIT_MS) timer = setTimeout(pump, next)
  }

  async function run(entry: Entry): Promise<void> {
    busy.set(entry.threadId, entry.key)
    const next = await attempt(entry)
    busy.delete(entry.threadId)
    // Its outcome stands, also where the storage has no room for it.
    void shelf.put(next)
  }

  async function attempt(entry: Entry): Promise<Entry> {
    const { lookUp, editOf, firstTryAt = now() } = entry
    if (lookUp) return ask(entry, entry)
    if (isOld(core, entry)) return editOf ? failed(entry) : attempt({ ...entry, lookUp: 'first', tries: 0 })
    const tried = { ...entry, firstTryAt, state: SENDING }
    try {
      await shelf.put(tried)
    } catch {
      return failed(entry, problemOf('not-stored', { delivery: 'not-sent', retryable: false }))
    }
    return ask(entry, tried)
  }

  async function ask(before: Entry, tried: Entry): Promise<Entry> {
    const request = requestOf(tried)
    // As bytes of UTF-8; what React Native has of TextEncoder differs from version to version.
    const bytes = encodeURIComponent(request.body ?? '').replace(/%../g, '-').length
    // A page that leaves need not wait for it. Other code may have used up the quota: a second try does without.
    const keepalive = tried.tries === 0 && keptAliveBytes + bytes < KEEPALIVE_BYTES
    const keptBytes = keepalive ? bytes : 0
    keptAliveBytes += keptBytes
    const answer = await call({ ...request, keepalive }, tried.owner)
    keptAliveBytes -= keptBytes
    return after(core, before, tried, answer)
  }

  core.ends.push(() => clearTimeout(timer))
  return pump
}

function requestOf({ lookUp, editOf, threadId, key, body }: Entry): Request {
  const path = pathOf(threadId)
  if (lookUp) return { method: 'GET', path: `${path}/by-key/${encodeURIComponent(key)}`, isWhole: hasDelivery }
  if (!editOf) return { method: 'POST', path, key, body: JSON.stringify(body), isWhole: hasMessage }
  const changed = JSON.stringify({ data: body.data, tags: body.tags })
  return { method: 'PATCH', path: `${path}/${editOf}`, body: changed, isWhole: hasMessage }
}

const hasMessage = (json: Json): unknown => json.data?.id
const hasDelivery = (json: Json): unknown => json.delivery

export function pathOf(threadId: string): string {
  return `/threads/${encodeURIComponent(threadId)}/replies`
}
