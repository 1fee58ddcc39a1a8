import { environment } from './environment.ts'
import type { ReplyStorage } from './types.ts'

const LEASE_MS = 10_000
const RENEW_MS = 3000

export interface TurnOptions {
  readonly storage: ReplyStorage
  readonly prefix: string
  readonly now: () => number
  /** Makes the name of this tab. */
  readonly newId: () => string
  /** Reads what the tab before this one left, before it is this tab's turn. */
  readonly prepare: () => Promise<void>
  readonly onTurn: () => void
}

/** One tab sends for an account, and the others watch. Two that send would only ask too much: a key is posted once. */
export interface Turn {
  isMine(): boolean
  /** Waits for the turn of this account, and leaves that of any other. */
  wantFor(owner: string | undefined): void
}

export function createTurn({ storage, prefix, now, newId, prepare, onTurn }: TurnOptions): Turn {
  const id = newId()
  let leave: (() => void) | undefined
  let wanted: string | undefined
  let heldUntil = 0

  async function begin(name: string, forMs: number): Promise<void> {
    const isNew = heldUntil <= now()
    if (isNew) await prepare().catch(() => undefined)
    if (name !== wanted) return
    heldUntil = now() + forMs
    if (isNew) onTurn()
  }

  /** The browser gives it to the next tab when this one ends, however it ends. */
  function waitForLock(name: string): () => void {
    const abort = new AbortController()
    let release: (() => void) | undefined
    environment.navigator?.locks
      ?.request(name, { signal: abort.signal }, () => {
        void begin(name, Number.POSITIVE_INFINITY)
        return new Promise<void>(resolve => {
          release = resolve
        })
      })
      .catch(() => undefined)
    return () => (release ? release() : abort.abort())
  }

  async function renewLease(name: string): Promise<void> {
    const [holder, until] = String(await storage.getItem(name)).split(' ')
    if (holder !== id && Number(until) > now()) return
    await storage.setItem(name, `${id} ${now() + LEASE_MS}`)
    // Of two that wrote at the same time the later one has it.
    await new Promise(resolve => setTimeout(resolve, 100))
    if (String(await storage.getItem(name)).startsWith(`${id} `)) await begin(name, LEASE_MS - RENEW_MS)
  }

  function waitForLease(name: string): () => void {
    const renew = (): void => void renewLease(name).catch(() => undefined)
    const timer = setInterval(renew, RENEW_MS)
    renew()
    return () => {
      clearInterval(timer)
      if (heldUntil > now()) Promise.resolve(storage.removeItem(name)).catch(() => undefined)
    }
  }

  return {
    isMine: () => heldUntil > now(),
    wantFor(owner) {
      const name = owner && `${prefix} turn ${owner}`
      if (name === wanted) return
      leave?.()
      heldUntil = 0
      leave = undefined
      wanted = name
      if (!name) return
      if (environment.navigator?.locks) leave = waitForLock(name)
      else if (environment.document) leave = waitForLease(name)
      // Nothing but a browser has several of these over one storage.
      else void begin(name, Number.POSITIVE_INFINITY)
    }
  }
}
