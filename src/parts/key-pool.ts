// Key sources by what they are made of: an issuer that is as it was keeps its keys when a file changes.
import { createKeyReader } from '../auth/bearer/jwks/discovery.ts'
import { createFileKeys } from '../auth/bearer/jwks/file.ts'
import type { KeySource } from '../auth/bearer/jwks/key-source.ts'
import { createRemoteKeys } from '../auth/bearer/jwks/remote.ts'
import { createSecretKeys, joinKeys } from '../auth/bearer/jwks/secrets.ts'
import { describeIssuer } from '../config/issuers/describe-issuer.ts'
import type { IssuerConfig } from '../config/issuers/issuer.ts'
import type { Clock } from '../lib/clock.ts'
import type { Emit } from '../observability/events.ts'
import type { JsonFetcher } from '../outbound/fetch-json.ts'

export interface KeyParts {
  readonly fetchJson: JsonFetcher
  readonly clock: Clock
  readonly emit: Emit
}

interface KeyPoolOptions extends KeyParts {
  readonly httpHosts: ReadonlySet<string>
  readonly uidMode: string
  /** Whether single variables describe the one issuer. */
  readonly isSingle: boolean
}

/** Keys that somebody uses. */
export interface PooledKeys {
  readonly keys: KeySource
  users: number
}

export class KeyPool {
  readonly #options: KeyPoolOptions
  readonly #sources = new Map<string, PooledKeys>()

  constructor(options: KeyPoolOptions) {
    this.#options = options
  }

  take(config: IssuerConfig): PooledKeys {
    const { issuer, secrets, secretFile, jwksUrl, keyFile, algorithms } = config
    // A file that is followed is named by its path: what it held may be older than what its source knows.
    const shared = secretFile ?? secrets.map(secret => secret.reveal())
    const name = JSON.stringify([issuer, jwksUrl, keyFile?.path, keyFile && algorithms, shared])
    const source = this.#sources.get(name) ?? { keys: this.#create(config), users: 0 }
    this.#sources.set(name, source)
    source.users++
    return source
  }

  closeUnused(): void {
    for (const [name, { keys, users }] of this.#sources) {
      if (users > 0) continue
      keys.close()
      this.#sources.delete(name)
    }
  }

  #create(config: IssuerConfig): KeySource {
    const { secrets, secretFile: path } = config
    const { emit } = this.#options
    const secretKeys =
      secrets.length > 0 ? createSecretKeys({ secrets, path, emit, ...this.#named(config) }) : undefined
    const isAlone = secretKeys && config.jwksUrl === undefined && !config.keyFile
    if (isAlone) {
      this.#say(config, secretKeys.size)
      return secretKeys
    }
    const published = this.#published(config)
    return secretKeys ? joinKeys(secretKeys, published) : published
  }

  #published(config: IssuerConfig): KeySource {
    const { issuer, keyFile, jwksUrl } = config
    const { fetchJson, clock, emit, httpHosts, isSingle } = this.#options
    const named = this.#named(config)
    if (keyFile) {
      const keys = createFileKeys({ ...keyFile, algorithms: config.algorithms, emit, ...named })
      this.#say(config, keys.size)
      return keys
    }
    return createRemoteKeys({
      fetchKeys: createKeyReader({ issuer: issuer ?? '', jwksUrl, fetchJson, httpHosts }),
      clock,
      emit,
      keysOf: issuer ?? config.usersOf,
      variable: isSingle ? 'AUTH_JWT_ISSUER' : 'AUTH_ISSUERS_FILE',
      onFirstRead: count => this.#say(config, count),
      ...named
    })
  }

  /** Which of several issuers an event is about. */
  #named({ issuer }: IssuerConfig): { readonly issuer?: string } {
    return issuer !== undefined && !this.#options.isSingle ? { issuer } : {}
  }

  #say(config: IssuerConfig, keyCount: number): void {
    const rules = describeIssuer(config, this.#options.uidMode, keyCount)
    this.#options.emit({ name: 'issuer-ready', issuer: config.issuer ?? config.usersOf, rules })
  }
}
