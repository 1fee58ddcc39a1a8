// A file of issuers that changes while the service runs: its risks are said again, in the words of the start.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config/load-config.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { ServiceEvent } from '../../src/observability/events.ts'
import { createJsonFetcher } from '../../src/outbound/fetch-json.ts'
import { createIssuers } from '../../src/parts/issuers.ts'
import { until } from '../helpers/until.ts'

const folder = mkdtempSync(join(tmpdir(), 'issuers-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const path = join(folder, 'issuers.json')
const keyFile = write('key.pem', publicKey.export({ type: 'spki', format: 'pem' }).toString())
const secretFile = write('secret', 'a-shared-secret-for-tests-of-40-bytes-xx')
const publishedFile = write('published', 'local-example-secret-that-protects-nothing')
const env = {
  COMETCHAT_APP_ID: 'a1b2c3',
  COMETCHAT_REGION: 'eu',
  COMETCHAT_API_KEY: 'api-key-1',
  AUTH_ISSUERS_FILE: path,
  UID_MODE: 'hash'
}
const right = { issuer: 'right', audience: ['replies'], secretFile }
const RISKY = [
  { ...right, issuer: 'claim', uidClaim: 'email' },
  { ...right, issuer: 'scope', scope: 'openid' },
  { ...right, issuer: 'act', actScope: 'profile' },
  { issuer: 'secret-for-all', secretFile },
  { issuer: 'key-for-all', keyFile },
  // Nothing listens there.
  { issuer: 'unchecked', audience: ['unchecked'], jwksUrl: 'http://127.0.0.1:1/keys' },
  { ...right, issuer: 'published', secretFile: publishedFile }
]

/** Replaces a file as an operator does, by a rename. */
function write(name: string, text: string): string {
  const to = join(folder, name)
  writeFileSync(`${to}.new`, text)
  renameSync(`${to}.new`, to)
  return to
}

const load = () => loadConfig(env, name => readFileSync(name, 'utf8'))

t.test('each risk of an entry is warned of when it comes, as at the start, and no right entry is', async t => {
  write('issuers.json', JSON.stringify([right]))
  const config = load()
  t.strictSame(config.warnings, [])
  const events: ServiceEvent[] = []
  const fetchJson = createJsonFetcher()
  const issuers = createIssuers(config, { fetchJson, clock: systemClock, emit: event => void events.push(event) })
  t.teardown(async () => {
    issuers.close()
    await fetchJson.close()
  })
  /** What is warned of once a version of the file was read. */
  async function warningsAfter(text: string): Promise<readonly string[]> {
    events.length = 0
    write('issuers.json', text)
    await until(() => events.some(({ name }) => name === 'issuers-changed'))
    return events.flatMap(event => (event.name === 'config-warning' ? [event.warning] : []))
  }

  const warned = await warningsAfter(JSON.stringify([right, ...RISKY]))
  t.equal(warned.length, RISKY.length)
  for (const index of RISKY.keys()) {
    t.equal(warned.filter(warning => warning.startsWith(`AUTH_ISSUERS_FILE entry ${index + 1}, `)).length, 1)
  }
  t.strictSame([...warned].sort(), [...load().warnings].sort(), 'the words of the start')
  t.strictSame(await warningsAfter(JSON.stringify([...RISKY, 'wrong'])), [], 'of a version that counts nothing')
  t.strictSame(await warningsAfter(JSON.stringify([right, { ...right, issuer: 'other' }])), [])
})
