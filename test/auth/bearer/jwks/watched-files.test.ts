// Keys and secrets of files that change while the service runs: what is right counts at once, what is wrong changes nothing.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import t from 'tap'
import { createFileKeys } from '../../../../src/auth/bearer/jwks/file.ts'
import { createSecretKeys, joinKeys } from '../../../../src/auth/bearer/jwks/secrets.ts'
import { AppError } from '../../../../src/errors.ts'
import { Secret } from '../../../../src/lib/secret.ts'
import type { ServiceEvent } from '../../../../src/observability/events.ts'
import { selfSigned } from '../../../helpers/certificate.ts'
import { hmacToken } from '../../../helpers/forged-tokens.ts'
import { until } from '../../../helpers/until.ts'
import { claims, createAuthenticator, newKeys, reasonOf, usual } from '../token-verdict.ts'

const folder = mkdtempSync(join(tmpdir(), 'watched-'))
// Files are looked at once a second.
t.jobs = 4
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** Replaces a file as an operator does, by a rename. */
function write(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

/** The events so far, and the next one. */
function listen() {
  const events: ServiceEvent[] = []
  let seen = 0
  return {
    events,
    emit: (event: ServiceEvent) => void events.push(event),
    next: async () => {
      await until(() => events.length > seen)
      return events[seen++]
    }
  }
}

/** The reason for which an authenticator refuses a token. */
const refusalOf = (principal: Promise<unknown>): Promise<unknown> =>
  principal.then(
    () => undefined,
    (error: unknown) => (error instanceof AppError ? error.options.reason : error)
  )
const secretOf = (name: string): string => `a-shared-secret-called-${name}-of-40-bytes-xx`
const signedWith = (name: string): string => hmacToken({ alg: 'HS256' }, claims, secretOf(name))

t.test(
  'a secret that is exchanged counts at once, also for tokens that were let in before',
  { buffered: true },
  async t => {
    const path = join(folder, 'secret')
    write(path, secretOf('one'))
    const { events, emit, next } = listen()
    const keys = createSecretKeys({ secrets: [new Secret(secretOf('one'))], path, emit, issuer: 'app' })
    t.teardown(() => keys.close())
    const rules = { ...usual, keys, algorithms: ['HS256'] }
    const authenticate = createAuthenticator(rules)
    t.ok(await authenticate(signedWith('one')))

    write(path, `${secretOf('two')}\n${secretOf('one')}\n`)
    t.match(await next(), { name: 'secret-file-changed', issuer: 'app', secrets: [/^sha256:/, /^sha256:/] })
    t.equal(keys.size, 2)
    for (const name of ['one', 'two']) t.ok(await authenticate(signedWith(name)), name)

    write(path, secretOf('two'))
    t.match(await next(), { secrets: { length: 1 } })
    t.equal(await refusalOf(authenticate(signedWith('one'))), 'token-signature')
    t.ok(await authenticate(signedWith('two')))
    t.notMatch(JSON.stringify(events), 'a-shared-secret', 'no event has a secret')
  }
)

t.test(
  'a file of secrets that is emptied, cut or deleted changes nothing, and is warned of',
  { buffered: true },
  async t => {
    const path = join(folder, 'kept')
    write(path, secretOf('one'))
    const { emit, next } = listen()
    const keys = createSecretKeys({ secrets: [new Secret(secretOf('one'))], path, emit })
    t.teardown(() => keys.close())
    const rules = { keys, algorithms: ['HS256'] }
    for (const [text, problem] of [
      ['', 'must hold 1 to 4 secrets'],
      ['canary', 'of at least 32 bytes'],
      [',\n,', 'must hold 1 to 4 secrets'],
      [Array.from({ length: 5 }, (_, index) => secretOf(`${index}`)).join(), 'must hold 1 to 4 secrets'],
      [undefined, 'cannot be read']
    ] as const) {
      if (text === undefined) rmSync(path)
      else write(path, text)
      const event = await next()
      t.match(event, { name: 'secret-file-changed', problem, secrets: { length: 1 } })
      t.notMatch(JSON.stringify(event), 'canary')
      t.equal(await reasonOf(signedWith('one'), rules), undefined)
    }
    write(path, secretOf('two'))
    t.notOk(Object.hasOwn((await next()) ?? {}, 'problem'))
    t.equal(await reasonOf(signedWith('two'), rules), undefined, 'once it is there again it counts')
  }
)

t.test('beside a key set, too, a change of either verifies again what was let in', { buffered: true }, async t => {
  const path = join(folder, 'joined')
  write(path, secretOf('one'))
  const { emit, next } = listen()
  const keys = joinKeys(createSecretKeys({ secrets: [new Secret(secretOf('one'))], path, emit }), newKeys())
  t.teardown(() => keys.close())
  const authenticate = createAuthenticator({ ...usual, keys, algorithms: ['HS256', 'ES256'] })
  t.ok(await authenticate(signedWith('one')))
  const { generation } = keys
  t.equal(keys.generation, generation, 'without a change it stays')
  write(path, secretOf('two'))
  await next()
  t.equal(await refusalOf(authenticate(signedWith('one'))), 'token-signature')
})

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()

t.test(
  'a file of keys may become a certificate or a key set; what is wrong or half written changes nothing',
  { buffered: true },
  async t => {
    const path = join(folder, 'keys')
    const text = pemOf(pair.publicKey)
    write(path, text)
    const { events, emit, next } = listen()
    const keys = createFileKeys({ path, text, algorithms: ['ES256'], emit })
    t.teardown(() => keys.close())
    const rules = { ...usual, keys, algorithms: ['ES256'] }
    const authenticate = createAuthenticator(rules)
    const sign = (key: KeyObject | string, kid?: string): Promise<string> =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', ...(kid !== undefined && { kid }) })
        .sign(typeof key === 'string' ? createPrivateKey(key) : key)
    const first = await sign(pair.privateKey)
    t.ok(await authenticate(first))

    const { cert, key } = selfSigned('issuer.test')
    write(path, cert)
    t.strictSame(await next(), { name: 'key-file-changed', keys: 1 })
    const second = await sign(key)
    t.ok(await authenticate(second))
    t.equal(await refusalOf(authenticate(first)), 'token-signature', 'the former key is withdrawn')

    const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'b' }
    const wrong: [text: string | undefined, problem: RegExp][] = [
      [cert.slice(0, 200), /holds no key/],
      [JSON.stringify({ keys: [jwk] }).slice(0, 60), /not JSON, or only half/],
      ['', /holds no key/],
      ['{"keys":[]}', /holds no key/],
      [key, /private key/],
      [JSON.stringify({ kty: 'oct', k: 'Y2FuYXJ5' }), /shared secret/],
      [pemOf(rsa.publicKey), /no key for the algorithms/],
      [undefined, /cannot be read/]
    ]
    for (const [text, problem] of wrong) {
      if (text === undefined) rmSync(path)
      else write(path, text)
      t.match(await next(), { name: 'key-file-changed', keys: 1, problem })
      t.ok(await authenticate(second), String(problem))
    }
    t.notMatch(JSON.stringify(events), /PRIVATE KEY-|Y2FuYXJ5/)

    write(path, JSON.stringify({ keys: [{ ...rsa.publicKey.export({ format: 'jwk' }), kid: 'a' }, jwk] }))
    t.match(await next(), { keys: 2 })
    t.equal(await reasonOf(await sign(pair.privateKey, 'b'), rules), undefined)
    t.equal(await reasonOf(await sign(pair.privateKey, 'c'), rules), 'token-key')
  }
)
