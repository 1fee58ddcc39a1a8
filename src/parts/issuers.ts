// The issuers whose tokens count, and how they change when their file does.
import type { ClaimRules } from '../auth/bearer/claims.ts'
import { issuerFinder, type NamedIssuer } from '../auth/bearer/issuers.ts'
import type { KeySource } from '../auth/bearer/jwks/key-source.ts'
import type { TrustedIssuer } from '../auth/bearer/jwt.ts'
import type { IssuerConfig } from '../config/issuers/issuer.ts'
import type { IssuersConfig } from '../config/issuers/issuers.ts'
import { IssuersFileError, issuerNames } from '../config/issuers/issuers-file.ts'
import { namedIssuers } from '../config/issuers/setting-names.ts'
import type { Config } from '../config/load-config.ts'
import { warningsOfIssuers } from '../config/risks/issuer-hazards.ts'
import { watchFileText } from '../lib/watch-file.ts'
import type { Emit } from '../observability/events.ts'
import { type KeyParts, KeyPool, type PooledKeys } from './key-pool.ts'
import type { Health } from './part.ts'

export interface Issuers {
  /** Undefined for a stranger. */
  issuerOf(iss: unknown): TrustedIssuer | undefined
  readonly health: readonly Health[]
  /** Each issuer whose keys cannot be used, where there are several. */
  warnings(): readonly string[]
  keyAges(): readonly KeyAge[]
  close(): void
}

/** Since the keys of an issuer were read from it, in milliseconds. */
export interface KeyAge {
  readonly issuer: string
  readonly ageMs: number
}

export function createIssuers({ auth, uid }: Pick<Config, 'auth' | 'uid'>, parts: KeyParts): Issuers {
  const { jwt, issuers, httpHosts } = auth
  const pool = new KeyPool({ ...parts, httpHosts, uidMode: uid.mode, isSingle: issuers === undefined })
  let current = new Version(issuers?.issuers ?? (jwt ? [jwt] : []), pool)

  function replace(configs: readonly IssuerConfig[]): number {
    const former = current
    current = new Version(configs, pool)
    former.retire()
    pool.closeUnused()
    return current.size
  }

  const stopFollowing = issuers && followFile(issuers, parts.emit, uid.claim, () => current.size, replace)
  return {
    issuerOf: iss => current.issuerOf(iss),
    health: [
      {
        reason: 'identity-provider-keys',
        // One issuer that is away keeps its own users out, and no other's.
        isReady: () => current.unready().length < current.size
      }
    ],
    warnings: () => (issuers ? current.unready().map(name => `identity-provider-keys ${name}`) : []),
    keyAges: () => current.keyAges(),
    close() {
      stopFollowing?.()
      current.retire()
      pool.closeUnused()
    }
  }
}

/** What the claims of an issuer's tokens must say. */
export function rulesOf(config: IssuerConfig): ClaimRules {
  const { issuer, usersOf, audiences, claims, scope, actScope, explainScope, sdkTokenScope, uidClaim, uidStrip } =
    config
  return { issuer, usersOf, audiences, claims, scope, actScope, explainScope, sdkTokenScope, uidClaim, uidStrip }
}

/** The issuers as one version of the configuration has them. */
class Version {
  readonly issuerOf: (iss: unknown) => TrustedIssuer | undefined
  readonly #members: readonly { readonly name: string; readonly source: PooledKeys }[]
  #isRetired = false

  constructor(configs: readonly IssuerConfig[], pool: KeyPool) {
    const taken = configs.map(config => ({ config, source: pool.take(config) }))
    this.#members = taken.map(({ config, source }) => ({ name: config.issuer ?? config.usersOf, source }))
    this.issuerOf = issuerFinder(
      taken.map(({ config, source }) => namedIssuer(config, this.#untilRetired(source.keys)))
    )
  }

  get size(): number {
    return this.#members.length
  }

  /** The issuers whose keys cannot be used. */
  unready(): string[] {
    return this.#members.filter(({ source }) => !source.keys.isReady()).map(({ name }) => name)
  }

  /** How old the keys of each issuer are, where they are read from it. */
  keyAges(): KeyAge[] {
    return this.#members.flatMap(({ name, source }) => {
      const { ageMs } = source.keys
      return ageMs === undefined ? [] : [{ issuer: name, ageMs }]
    })
  }

  /** What these issuers let in is verified again, by the rules that count then. */
  retire(): void {
    this.#isRetired = true
    for (const { source } of this.#members) source.users--
  }

  #untilRetired(keys: KeySource): KeySource {
    const isRetired = (): boolean => this.#isRetired
    return {
      candidates: (hint, signature) => keys.candidates(hint, signature),
      get generation() {
        return isRetired() ? Number.NaN : keys.generation
      },
      isReady: () => keys.isReady(),
      get size() {
        return keys.size
      },
      get ageMs() {
        return keys.ageMs
      },
      close: () => undefined
    }
  }
}

function namedIssuer(config: IssuerConfig, keys: KeySource): NamedIssuer {
  const { issuer, algorithms, typ, tenants } = config
  const names = issuer === undefined ? [] : issuerNames(config)
  return {
    trusted: { ...rulesOf(config), algorithms, typ, keys },
    names: new Map(names.map((name, index) => [name, tenants?.[index]]))
  }
}

/** A version of the file that is wrong changes nothing. */
function followFile(
  { path, parse }: IssuersConfig,
  emit: Emit,
  uidClaim: string,
  sizeNow: () => number,
  replace: (configs: readonly IssuerConfig[]) => number
): () => void {
  const refuse = (problem: string): void => emit({ name: 'issuers-changed', issuers: sizeNow(), problem })
  return watchFileText(
    path,
    text => {
      try {
        const configs = parse(text)
        emit({ name: 'issuers-changed', issuers: replace(configs) })
        for (const warning of warningsOfIssuers(namedIssuers(undefined, { issuers: configs }), uidClaim)) {
          emit({ name: 'config-warning', warning })
        }
      } catch (error) {
        refuse(error instanceof IssuersFileError ? error.message : 'the file cannot be used')
      }
    },
    () => refuse('the file cannot be read')
  )
}
