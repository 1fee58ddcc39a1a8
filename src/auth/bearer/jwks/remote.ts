import type { CryptoKey, JSONWebKeySet, JWSHeaderParameters } from 'jose'
import * as errors from 'jose/errors'
import { createLocalJWKSet } from 'jose/jwks/local'
import { AppError } from '../../../errors.ts'
import type { Clock } from '../../../lib/clock.ts'

export type VerificationKey = CryptoKey | Uint8Array

export interface KeySource {
  /** The key a token names. Undefined for none; throws `identity-provider-unavailable` without any keys. */
  find(header: JWSHeaderParameters): Promise<VerificationKey | undefined>
  /** Changes whenever a key may have been withdrawn: what was verified before must be verified again. */
  readonly generation: number
  isReady(): boolean
  close(): void
}

export interface RemoteKeysOptions {
  /** Reads the key set of the issuer; rejects for whatever reason it cannot. */
  readonly fetchKeys: () => Promise<unknown>
  readonly clock: Clock
  /** Told of every failed read; never with its text. */
  readonly onFailure?: () => void
}

const MAX_AGE_MS = 10 * 60_000
const MAX_STALE_MS = 24 * 3_600_000
const UNKNOWN_KEY_COOL_DOWN_MS = 30_000
const FIRST_FAILURE_COOL_DOWN_MS = 1000
const MAX_FAILURE_COOL_DOWN_MS = 30_000
const MAX_KEYS = 100
/** The generation of no keys at all. */
const UNUSABLE = -1

/**
 * The issuer's published keys: one read at a time, known keys outlive an outage, and a flood of unknown key ids
 * costs one read in 30 s.
 */
export function createRemoteKeys(options: RemoteKeysOptions): KeySource {
  return new RemoteKeys(options)
}

class RemoteKeys implements KeySource {
  readonly #options: RemoteKeysOptions
  #find: ReturnType<typeof createLocalJWKSet> | undefined
  #published = ''
  #readAtMs = 0
  #reading: Promise<void> | undefined
  #failures = 0
  #notBeforeMs = Number.NEGATIVE_INFINITY
  #fruitlessUntilMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #generation = 0

  constructor(options: RemoteKeysOptions) {
    this.#options = options
    void this.#read()
  }

  /** Looked at for each token, also for one that was verified before: so a withdrawn key is noticed in any case. */
  get generation(): number {
    this.#refreshWhenOld()
    return this.#isUsable() ? this.#generation : UNUSABLE
  }

  isReady(): boolean {
    return this.#isUsable()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#notBeforeMs = Number.POSITIVE_INFINITY
  }

  async find(header: JWSHeaderParameters): Promise<VerificationKey | undefined> {
    if (!this.#isUsable()) await this.#read()
    if (!this.#isUsable()) throw this.#unavailable()
    this.#refreshWhenOld()
    const known = await this.#lookUp(header)
    if (known || this.#now() < this.#fruitlessUntilMs) return known
    await this.#read()
    const found = await this.#lookUp(header)
    // The issuer cannot be asked: the key may be a new one, and then 401 would send its user away.
    if (!found && this.#failures > 0) throw this.#unavailable()
    // Only a search in vain starts the pause: a rotation that follows another closely is found at once.
    if (!found) this.#fruitlessUntilMs = this.#now() + UNKNOWN_KEY_COOL_DOWN_MS
    return found
  }

  #refreshWhenOld(): void {
    if (this.#isUsable() && this.#now() - this.#readAtMs > MAX_AGE_MS) void this.#read()
  }

  async #lookUp(header: JWSHeaderParameters): Promise<VerificationKey | undefined> {
    try {
      return await this.#find?.(header)
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined
      throw error
    }
  }

  #read(): Promise<void> {
    if (this.#reading) return this.#reading
    if (this.#now() < this.#notBeforeMs) return Promise.resolve()
    this.#reading = this.#options
      .fetchKeys()
      .then(keys => this.#keep(keys))
      .catch(() => this.#backOff())
      .finally(() => {
        this.#reading = undefined
      })
    return this.#reading
  }

  #keep(keys: unknown): void {
    const keySet = checkedKeySet(keys)
    const published = JSON.stringify(keySet)
    this.#readAtMs = this.#now()
    this.#failures = 0
    this.#notBeforeMs = Number.NEGATIVE_INFINITY
    if (published === this.#published) return
    this.#find = createLocalJWKSet(keySet)
    this.#published = published
    this.#generation++
  }

  #backOff(): void {
    const pauseMs = Math.min(FIRST_FAILURE_COOL_DOWN_MS * 2 ** this.#failures++, MAX_FAILURE_COOL_DOWN_MS)
    this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#now() + pauseMs)
    this.#options.onFailure?.()
    // Without keys this instance is not ready and gets no calls, so it must try again by itself.
    clearTimeout(this.#timer)
    if (!this.#isUsable()) this.#timer = setTimeout(() => void this.#read(), pauseMs + 1).unref()
  }

  #isUsable(): boolean {
    return this.#find !== undefined && this.#now() - this.#readAtMs < MAX_STALE_MS
  }

  #unavailable(): AppError {
    const retryAfterMs = Math.max(1000, Math.min(this.#notBeforeMs - this.#now(), MAX_FAILURE_COOL_DOWN_MS))
    return new AppError('identity-provider-unavailable', 'The keys that sign tokens cannot be read at the moment.', {
      retryAfterMs
    })
  }

  #now(): number {
    return this.#options.clock.monotonic()
  }
}

/** Throws for anything but a key set with keys in it. */
function checkedKeySet(value: unknown): JSONWebKeySet {
  const keys = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS) throw new TypeError('not a key set')
  const named = keys.filter(key => typeof key === 'object' && key !== null && typeof key.kty === 'string')
  // A published secret is no secret: only public keys verify a published signature.
  const usable = named.filter(key => key.kty !== 'oct' && key.use !== 'enc')
  if (usable.length === 0) throw new TypeError('no key that verifies')
  return { keys: usable }
}
