// Public vectors for the verification of a JWS (test/auth/bearer/vectors/wycheproof-jws.json says whose they are), judged the
// way a bearer token is: its shape, the key that the issuer published, then the signature. They are no JWTs, so no
// claim is looked at.
import { constants, createPublicKey, publicDecrypt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { compactVerify, type JWK } from 'jose'
import t from 'tap'
import { type KeySource, verifyWithKeys } from '../../../src/auth/bearer/jwks/key-source.ts'
import { createRemoteKeys } from '../../../src/auth/bearer/jwks/remote.ts'
import { isCompactJws } from '../../../src/auth/bearer/token-format.ts'
import { systemClock } from '../../../src/lib/clock.ts'

interface Vector {
  readonly tcId: number
  readonly comment: string
  readonly jws: string
  readonly result: 'valid' | 'invalid'
}

interface Group {
  readonly comment: string
  readonly key: JWK
  readonly tests: readonly Vector[]
}

const FILE = new URL('vectors/wycheproof-jws.json', import.meta.url)
const { groups } = JSON.parse(readFileSync(FILE, 'utf8')) as { groups: readonly Group[] }
const PUBLIC_KEY_ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA'.split(' ')

/** Where this service and the vectors differ, and why that is right. */
const ODDITIES: Readonly<Record<number, string>> = {
  346: 'valid, refused here: the key says PS256, the token PS384; a key serves the algorithm it names (RFC 8725 §3.1)',
  347: 'valid, refused here: the key says ES521, which is no algorithm',
  350: 'as 346',
  351: 'as 347',
  367: 'invalid, accepted here: the text is that of 357, which is valid; the padding it is about got lost',
  370: 'as 367',
  372: 'valid, refused here: there is a ? in the header, which is not of base64url',
  373: 'valid, refused here: there is a ? in the payload',
  375: 'invalid, accepted here: the holder of the key signed this very text; only its last two unused bits are not zero'
}

function keysFor({ key }: Group): { keys: KeySource; algorithms: string[] } {
  if (key.kty !== 'oct') {
    const keys = createRemoteKeys({
      fetchKeys: async () => ({ keys: [key] }),
      clock: systemClock,
      emit: () => undefined,
      keysOf: 'the issuer',
      variable: 'AUTH_JWT_ISSUER'
    })
    return { keys, algorithms: PUBLIC_KEY_ALGORITHMS }
  }
  // As src/auth/bearer/jwks/secrets.ts has it, for a secret of arbitrary bytes.
  const secret = new Uint8Array(Buffer.from(key.k ?? '', 'base64url'))
  const keys: KeySource = {
    async *candidates() {
      yield secret
    },
    generation: 0,
    isReady: () => true,
    size: 1,
    close: () => undefined
  }
  return { keys, algorithms: ['HS256'] }
}

async function verdictOn(group: Group, { jws }: Vector): Promise<Vector['result']> {
  const { keys, algorithms } = keysFor(group)
  try {
    if (!isCompactJws(jws)) return 'invalid'
    await verifyWithKeys(jws, keys, algorithms, key => compactVerify(jws, key, { algorithms }))
    return 'valid'
  } catch {
    return 'invalid'
  } finally {
    keys.close()
  }
}

t.test('every vector gets the verdict that it names, but for the oddities that are explained', async t => {
  const seen = { valid: 0, invalid: 0 }
  const different: number[] = []
  for (const group of groups) {
    for (const vector of group.tests) {
      const verdict = await verdictOn(group, vector)
      seen[vector.result]++
      if (verdict !== vector.result) different.push(vector.tcId)
    }
  }

  t.comment(`${seen.valid} valid and ${seen.invalid} invalid vectors`)
  t.strictSame(
    different,
    Object.keys(ODDITIES).map(tcId => Number(tcId))
  )
  t.ok(seen.valid >= 15 && seen.invalid >= 80, 'there is something of both')
})

t.test('a forgery is never accepted: the oddities that are have a signature of the key', async t => {
  const vectors = groups.flatMap(({ tests }) => tests)
  const valid = vectors.find(({ tcId }) => tcId === 357)
  for (const tcId of [367, 370]) t.equal(vectors.find(vector => vector.tcId === tcId)?.jws, valid?.jws)
  t.notOk(await isAcceptedAfterChange(375), 'one bit of the text of 375, and it is refused')
})

async function isAcceptedAfterChange(tcId: number): Promise<boolean> {
  const group = groups.find(({ tests }) => tests.some(vector => vector.tcId === tcId))
  const vector = group?.tests.find(one => one.tcId === tcId)
  if (!group || !vector) throw new Error('no such vector')
  return (await verdictOn(group, { ...vector, jws: vector.jws.replace('.AB.', '.AA.') })) === 'valid'
}

t.test(
  'the vectors about padding are whole: each signature opens to a block that the key could have signed',
  async t => {
    const group = groups.find(({ comment }) => comment === 'rs256')
    const key = createPublicKey({ key: group?.key ?? {}, format: 'jwk' })
    const padded = group?.tests.filter(({ tcId }) => tcId >= 46) ?? []
    for (const { tcId, jws } of padded) {
      const signature = Buffer.from(jws.slice(jws.lastIndexOf('.') + 1), 'base64url')
      const block = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature).toString('hex')
      t.match(block, /^0001(ff)+00/, String(tcId))
    }
    t.equal(padded.length, 6)
  }
)
