import type { CryptoKey, JWK } from 'jose'
import { importJWK } from 'jose/key/import'
import { isObject } from '../../../lib/json.ts'
import { algorithmsOfKey } from '../../../lib/service/keys/jwt-algorithms.ts'
import { type KeyHint, keyIdOf } from './key-source.ts'
import { KeysProblem } from './keys-problem.ts'

/** The public keys of a JWK set (RFC 7517 §5), as they really are: what verifies nothing is left out. */
export interface KeySet {
  /** Equal for two sets that hold the same. */
  readonly text: string
  readonly size: number
  hasId(kid: string): boolean
  /** Whether any key is of that id, or fits the algorithm of a token that names none. */
  fits(hint: KeyHint): boolean
  /** The keys of that id, or where the token names none, every key that fits its algorithm. */
  named(hint: KeyHint): AsyncIterable<CryptoKey>
  /** The keys without an id that fit the algorithm. */
  nameless(hint: KeyHint): AsyncIterable<CryptoKey>
}

interface PublicKey {
  readonly kid: string | undefined
  readonly alg: string | undefined
  /** Of key type and curve. */
  readonly algorithms: readonly string[]
  /** What makes it this key, without id and hints. */
  readonly material: JWK
}

const MAX_KEYS = 100

/** Throws a KeysProblem for anything but a key set with a public key in it. */
export function parseKeySet(value: unknown): KeySet {
  const keys = publicKeys(value)
  const ids = new Set(keys.map(({ kid }) => kid))
  const imported = new Map<string, Promise<CryptoKey | undefined>>()

  /** One import a key and algorithm, however often the set lists it. */
  async function* usable({ alg }: KeyHint, isWanted: (key: PublicKey) => boolean): AsyncIterable<CryptoKey> {
    const fitting = keys.filter(key => isWanted(key) && serves(key, alg))
    const different = new Map(fitting.map(({ material }) => [`${alg} ${JSON.stringify(material)}`, material]))
    for (const [name, material] of different) {
      const key = imported.get(name) ?? importPublic(material, alg)
      imported.set(name, key)
      const found = await key
      if (found) yield found
    }
  }

  return {
    text: JSON.stringify(keys),
    size: new Set(keys.map(({ material }) => JSON.stringify(material))).size,
    hasId: kid => ids.has(kid),
    fits: hint => keys.some(key => isNamed(key, hint) && serves(key, hint.alg)),
    named: hint => usable(hint, key => isNamed(key, hint)),
    nameless: hint => usable(hint, ({ kid }) => kid === undefined)
  }
}

function publicKeys(value: unknown): PublicKey[] {
  const listed = isObject(value) ? value['keys'] : undefined
  if (!Array.isArray(listed) || listed.length > MAX_KEYS) throw new KeysProblem('keys-not-a-set')
  const keys = listed.flatMap(publicKey)
  if (keys.length === 0) throw new KeysProblem('keys-empty')
  return keys
}

/** None for a secret or private key, which is no secret once it is published, and for one that encrypts. */
function publicKey(value: unknown): PublicKey[] {
  if (!isObject(value)) return []
  const { kty, crv, n, e, x, y, d, use, kid, alg, key_ops: operations } = value
  const algorithms = algorithmsOfKey({ kty, crv })
  const isForVerifying = !Array.isArray(operations) || operations.some(name => name === 'verify' || name === 'sign')
  if (algorithms.length === 0 || d !== undefined || use === 'enc' || !isForVerifying) return []
  const members = Object.entries({ kty, crv, n, e, x, y }).filter(([, member]) => member !== undefined)
  return [
    {
      kid: keyIdOf(kid),
      alg: typeof alg === 'string' ? alg : undefined,
      algorithms,
      material: Object.fromEntries(members) as JWK
    }
  ]
}

function isNamed({ kid }: PublicKey, hint: KeyHint): boolean {
  return hint.kid === undefined || kid === hint.kid
}

/** A key serves the algorithm that it names (RFC 8725 §3.1); Ed25519 has two names. */
function serves({ alg, algorithms }: PublicKey, wanted: string): boolean {
  if (!algorithms.includes(wanted)) return false
  const isEd25519 = wanted === 'EdDSA' || wanted === 'Ed25519'
  return alg === undefined || alg === wanted || (isEd25519 && algorithms.includes(alg))
}

/** Undefined for a key that is broken: the others of its set are as good as before. */
async function importPublic(material: JWK, alg: string): Promise<CryptoKey | undefined> {
  try {
    const key = await importJWK(material, alg)
    return key instanceof Uint8Array ? undefined : key
  } catch {
    return undefined
  }
}
