import { LRUCache } from 'lru-cache'
import { AppError } from '../../../errors.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { Emit, ServiceEvent } from '../../../observability/events.ts'
import { type KeySet, parseKeySet } from './key-set.ts'
import type { KeyHint, KeySource, VerificationKey } from './key-source.ts'
import { KeysProblem, type KeysReason } from './keys-problem.ts'

type KeysUnreadable = Extract<ServiceEvent, { name: 'keys-unreadable' }>

export interface RemoteKeysOptions {
  /** Reads the key set of the issuer; rejects for whatever reason it cannot. */
  readonly fetchKeys: () => Promise<unknown>
  readonly clock: Clock
  /** Told of every failed read. */
  readonly emit: Emit
  /** The variable that says whose keys they are. */
  readonly variable: KeysUnreadable['variable']
  readonly issuer?: string
  /** Whose keys they are, as the configuration names it. */
  readonly keysOf: string
  /** Told once how many keys there are. */
  readonly onFirstRead?: (keyCount: number) => void
}

const MAX_AGE_MS = 10 * 60_000
const MAX_STALE_MS = 24 * 3_600_000
/** Between two reads for the sake of key ids that are not in the set: any client can make them up. */
const EXTRA_READ_INTERVAL_MS = 5000
/** After a read in vain. */
const STRANGERS_ABOUT_MS = 30_000
const FIRST_FAILURE_COOL_DOWN_MS = 1000
const MAX_FAILURE_COOL_DOWN_MS = 30_000
const MAX_POSTPONED_TOKENS = 10_000
/** The generation of no keys at all. */
const UNUSABLE = -1

/**
 * The issuer's published keys: one read at a time, known keys outlive an outage, and a flood of unknown key ids costs
 * one read in 5 s. The flood costs no user the session: a token with an unknown key id is refused for good only by a key
 * set whose read began after the token came.
 */
export function createRemoteKeys(options: RemoteKeysOptions): KeySource {
  return new RemoteKeys(options)
}

class RemoteKeys implements KeySource {
  readonly #options: RemoteKeysOptions
  #keySet: KeySet | undefined
  #readAtMs = 0
  #reading: Promise<void> | undefined
  /** How many reads have begun, and which of them succeeded last. Times are too coarse to say what came first. */
  #readsBegun = 0
  #lastRead = 0
  #failures = 0
  #failure: KeysReason | undefined
  #cooldownUntilMs = Number.NEGATIVE_INFINITY
  #lastVainReadMs = Number.NEGATIVE_INFINITY
  #nextExtraReadMs = Number.NEGATIVE_INFINITY
  /** By the signature of a token that has to come again: how many reads had begun when it came first. */
  readonly #postponed = new LRUCache<string, number>({ max: MAX_POSTPONED_TOKENS })
  #timer: NodeJS.Timeout | undefined
  #generation = 0

  constructor(options: RemoteKeysOptions) {
    this.#options = options
    void this.#read()
  }

  /** Read for each token, also for one that was verified before: so a withdrawn key is noticed in any case. */
  get generation(): number {
    this.#refreshWhenOld()
    return this.#isUsable() ? this.#generation : UNUSABLE
  }

  isReady(): boolean {
    return this.#isUsable()
  }

  get size(): number {
    return this.#keySet?.size ?? 0
  }

  get ageMs(): number | undefined {
    return this.#keySet && this.#now() - this.#readAtMs
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#cooldownUntilMs = Number.POSITIVE_INFINITY
  }

  async *candidates(hint: KeyHint, signature: string): AsyncIterable<VerificationKey> {
    const begunBefore = this.#postponed.get(signature) ?? this.#readsBegun
    if (!this.#isUsable()) await this.#read()
    if (!this.#isUsable()) throw this.#unreadable()
    this.#refreshWhenOld()
    if (yield* this.#named(hint)) return
    // What verifies a token without an id of its own may be its key all the same.
    if (hint.kid !== undefined && this.#keySet) yield* this.#keySet.nameless(hint)
    // What is being read may be older than the token; when the key is in it, that does not matter.
    await this.#reading
    if ((yield* this.#named(hint)) || this.#lastRead > begunBefore) return
    await this.#readNewerKeys(hint, signature, begunBefore)
    yield* this.#named(hint)
  }

  /** Whether that was all: an id names one key, and no later set has another one under it. */
  async *#named(hint: KeyHint): AsyncGenerator<VerificationKey, boolean> {
    const keySet = this.#keySet
    if (!keySet) return false
    yield* keySet.named(hint)
    return keySet.fits(hint) || (hint.kid !== undefined && keySet.hasId(hint.kid))
  }

  /** Throws where the keys cannot be read again yet. */
  async #readNewerKeys(hint: KeyHint, signature: string, begunBefore: number): Promise<void> {
    // Or in a flood each try of this token would come too early, and its user would never hear that it is refused.
    this.#postponed.set(signature, begunBefore)
    const waitMs = this.#nextExtraReadMs - this.#now()
    if (waitMs > 0 && !this.#reading) throw olderKeys(waitMs)
    await this.#read()
    // The issuer cannot be asked: the key may be a new one, and then 401 would send its user away.
    if (this.#lastRead <= begunBefore) throw this.#unreadable()
    this.#postponed.delete(signature)
    if (!this.#keySet?.fits(hint)) this.#lastVainReadMs = this.#now()
    // Without strangers there is no pause: a rotation that follows another closely is found at once.
    const areStrangersAbout = this.#now() - this.#lastVainReadMs < STRANGERS_ABOUT_MS
    if (areStrangersAbout) this.#nextExtraReadMs = this.#now() + EXTRA_READ_INTERVAL_MS
  }

  #refreshWhenOld(): void {
    if (this.#isUsable() && this.#now() - this.#readAtMs > MAX_AGE_MS) void this.#read()
  }

  #read(): Promise<void> {
    if (this.#reading) return this.#reading
    if (this.#now() < this.#cooldownUntilMs) return Promise.resolve()
    const number = ++this.#readsBegun
    const beganAtMs = this.#now()
    this.#reading = this.#options
      .fetchKeys()
      .then(keys => this.#keep(parseKeySet(keys), number))
      .catch((error: unknown) => this.#coolDown(error))
      .then(() => this.#tellFetch(this.#now() - beganAtMs))
      .finally(() => {
        this.#reading = undefined
      })
    return this.#reading
  }

  #tellFetch(durationMs: number): void {
    const { emit, keysOf } = this.#options
    emit({ name: 'key-fetch', issuer: keysOf, durationMs, result: this.#failure ?? 'ok' })
  }

  #keep(keySet: KeySet, number: number): void {
    this.#lastRead = number
    this.#readAtMs = this.#now()
    this.#failures = 0
    this.#failure = undefined
    this.#cooldownUntilMs = Number.NEGATIVE_INFINITY
    if (keySet.text === this.#keySet?.text) return
    const isFirst = this.#keySet === undefined
    this.#keySet = keySet
    this.#generation++
    if (isFirst) this.#options.onFirstRead?.(keySet.size)
  }

  #coolDown(error: unknown): void {
    const problem = error instanceof KeysProblem ? error : new KeysProblem('keys-unreachable')
    this.#failure = problem.reason
    const pauseMs = Math.min(FIRST_FAILURE_COOL_DOWN_MS * 2 ** this.#failures++, MAX_FAILURE_COOL_DOWN_MS)
    this.#cooldownUntilMs = Math.max(this.#cooldownUntilMs, this.#now() + pauseMs)
    const { emit, variable, issuer } = this.#options
    const { reason, hint } = problem
    emit({
      name: 'keys-unreadable',
      variable,
      reason,
      ...(hint !== undefined && { hint }),
      ...(issuer !== undefined && { issuer })
    })
    // Without keys this instance is not ready and gets no calls, so no call would start the next read.
    clearTimeout(this.#timer)
    if (!this.#isUsable()) this.#timer = setTimeout(() => void this.#read(), pauseMs + 1).unref()
  }

  #isUsable(): boolean {
    return this.#keySet !== undefined && this.#now() - this.#readAtMs < MAX_STALE_MS
  }

  #unreadable(): AppError {
    const retryAfterMs = Math.max(1000, Math.min(this.#cooldownUntilMs - this.#now(), MAX_FAILURE_COOL_DOWN_MS))
    return new AppError('identity-provider-unavailable', 'The keys that sign tokens cannot be read at the moment.', {
      retryAfterMs,
      reason: this.#failure ?? 'keys-unreachable'
    })
  }

  #now(): number {
    return this.#options.clock.monotonic()
  }
}

function olderKeys(retryAfterMs: number): AppError {
  const detail = 'Whether the token is signed with a new key is not known yet.'
  return new AppError('identity-provider-unavailable', detail, { retryAfterMs, reason: 'keys-older' })
}
