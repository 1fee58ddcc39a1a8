import { Redis } from 'ioredis'
import { AppError } from '../errors.ts'
import type { Secret } from '../secret.ts'

export interface StoredSession {
  readonly text: string
  /** Until the key expires; undefined where it never does. */
  readonly ttlMs: number | undefined
}

export interface AppSessionStore {
  /** Undefined for a session that does not exist; throws `store-unavailable` when that cannot be known. */
  read(id: string): Promise<StoredSession | undefined>
  isReady(): boolean
  close(): void
}

export interface AppSessionRedisOptions {
  readonly url: Secret
  /** What connect-redis puts before the session id. */
  readonly prefix: string
  /** Told whenever the store turns from reachable to not, and back. */
  readonly onChange?: (isReachable: boolean) => void
}

/** Only the calls under way wait so long for a server that hangs: the first that fails stops the others. */
const COMMAND_TIMEOUT_MS = 1000
const CONNECT_TIMEOUT_MS = 1000
/** A server that is silent for so long is given up with its connection: TCP itself would wait for minutes. */
const SILENCE_MS = 2000
const LOOK_AGAIN_MS = 250

/** Reads sessions where connect-redis keeps them; writes nothing. While Redis is away every read fails at once. */
export async function createAppSessionRedis(options: AppSessionRedisOptions): Promise<AppSessionStore> {
  const store = new RedisSessions(options)
  await store.open()
  return store
}

class RedisSessions implements AppSessionStore {
  readonly #redis: Redis
  readonly #prefix: string
  readonly #onChange: (isReachable: boolean) => void
  #isReachable = true
  #isLooking = false
  #timer: NodeJS.Timeout | undefined

  constructor({ url, prefix, onChange = () => undefined }: AppSessionRedisOptions) {
    this.#prefix = prefix
    this.#onChange = onChange
    this.#redis = new Redis(url.reveal(), {
      lazyConnect: true,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_MS,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: attempt => Math.min(50 * 2 ** (attempt - 1), 1000) * (0.5 + Math.random()),
      // It would print what the server says, and who may only read sessions may not ask for INFO.
      enableReadyCheck: false,
      disableClientInfo: true
    })
    this.#redis.on('ready', () => void this.#look())
    this.#redis.on('close', () => this.#note(false))
    // Each read tells its own failure; an event that nobody hears would end the process.
    this.#redis.on('error', () => undefined)
  }

  /** Resolves when it is clear whether Redis is there; a service that starts without it says 503 until it is. */
  async open(): Promise<void> {
    await this.#redis.connect().catch(() => undefined)
    await this.#look()
  }

  async read(id: string): Promise<StoredSession | undefined> {
    if (!this.isReady()) throw unavailable()
    const key = this.#prefix + id
    try {
      const [text, ttlMs] = await Promise.all([this.#redis.get(key), this.#redis.pttl(key)])
      // -2: the key ended between the two; -1: it never does.
      return text === null || ttlMs === -2 ? undefined : { text, ttlMs: ttlMs < 0 ? undefined : ttlMs }
    } catch {
      this.#note(false)
      void this.#look()
      throw unavailable()
    }
  }

  isReady(): boolean {
    return this.#isReachable && this.#redis.status === 'ready'
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#redis.removeAllListeners('ready').removeAllListeners('close').disconnect()
  }

  /** Without sessions this instance gets no calls that could find out, so it must look by itself. */
  async #look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    clearTimeout(this.#timer)
    // Not PING: a user who may only read sessions need not be allowed more, and one who may not is found out here.
    const isReachable = await this.#redis.pttl(this.#prefix).then(
      () => true,
      () => false
    )
    this.#isLooking = false
    this.#note(isReachable)
    if (!isReachable && this.#redis.status !== 'end') {
      this.#timer = setTimeout(() => void this.#look(), LOOK_AGAIN_MS).unref()
    }
  }

  #note(isReachable: boolean): void {
    if (isReachable === this.#isReachable) return
    this.#isReachable = isReachable
    this.#onChange(isReachable)
  }
}

function unavailable(): AppError {
  return new AppError('store-unavailable', 'Sessions cannot be read at the moment.', {
    retryAfterMs: 1000,
    reason: 'session-store'
  })
}
