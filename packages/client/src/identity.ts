import type { BackOff } from './back-off.ts'
import { isOffline } from './environment.ts'
import type { Answer } from './exchange.ts'
import type { ReplyStorage } from './types.ts'

export interface IdentityOptions {
  readonly storage: ReplyStorage
  /** Of the item in which the last one who was signed in is kept. */
  readonly name: string
  readonly backOff: BackOff
  /** Asks `GET /me`; what it says comes to `found`. */
  readonly ask: () => Promise<Answer>
  /** These replies, which were sent before it was known, are theirs. */
  readonly onFound: (owner: string, keys: readonly string[]) => void
  readonly onSignedOut: () => void
  readonly onChange: () => void
}

/** Who is signed in, and whose the replies are that were sent before that was known. */
export interface Identity {
  /** Who is, as the service said. */
  owner(): string | undefined
  /** Also who was when it last said so: whose replies are shown before it can say again. */
  shown(): string | undefined
  /** Reads who was signed in last. */
  load(): Promise<void>
  /** Asks, until there is an answer. */
  ask(): void
  found(owner: string): void
  /** A reply was sent before it is known whose it is. */
  expect(key: string): void
  /** Whether the question was on its way when it was sent. */
  isExpected(key: string): boolean
  /** Somebody else may be signed in from now on. */
  forget(): void
  close(): void
}

export function createIdentity(options: IdentityOptions): Identity {
  const { storage, name, backOff, onFound, onSignedOut, onChange } = options
  const early = new Map<string, boolean>()
  let owner: string | undefined
  let last: string | undefined
  let isAsking = false
  let tries = 0
  /** Goes up when somebody else may have signed in. */
  let era = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const remember = async (text: string | undefined): Promise<void> => {
    await (text === undefined ? storage.removeItem(name) : storage.setItem(name, text))
  }

  async function ask(): Promise<void> {
    clearTimeout(timer)
    if (isAsking || isOffline()) return
    isAsking = true
    const askedIn = era
    const { problem } = await options.ask()
    if (askedIn !== era) return
    isAsking = false
    // What was sent meanwhile has no owner: who signs in later may be somebody else.
    for (const key of early.keys()) early.set(key, false)
    if (problem?.code === 'unauthenticated') onSignedOut()
    else if (problem?.retryable) timer = setTimeout(ask, backOff.waitMs(problem, tries++))
    onChange()
  }

  return {
    owner: () => owner,
    shown: () => owner ?? last,
    async load() {
      const stored = await storage.getItem(name)
      if (owner === undefined) last = stored ?? undefined
    },
    ask: () => void ask(),
    found(found) {
      tries = 0
      const keys = [...early].filter(([, wasAsked]) => wasAsked || last === found).map(([key]) => key)
      early.clear()
      if (last !== found) remember(found).catch(() => undefined)
      owner = found
      last = found
      onFound(found, keys)
    },
    expect(key) {
      if (owner === undefined) early.set(key, isAsking)
    },
    isExpected: key => early.get(key) === true,
    forget() {
      early.clear()
      owner = undefined
      last = undefined
      isAsking = false
      era++
      remember(undefined).catch(() => undefined)
    },
    close() {
      // What is on its way is heard by nobody.
      era++
      clearTimeout(timer)
    }
  }
}
