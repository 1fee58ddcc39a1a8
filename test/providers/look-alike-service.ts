// A service of this process with a provider's settings, before a local CometChat that knows the users of all providers.
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { createService } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/config/load-config.ts'
import { createLogger } from '../../src/observability/logger.ts'
import type { LogLine } from '../helpers/service-lines.ts'
import { startEmulator } from '../helpers/thread.ts'
import { until } from '../helpers/until.ts'
import type { LookAlike, LookAlikeToken } from './look-alike.ts'

export interface Outcome {
  readonly status: number
  readonly code: string | undefined
  /** Whom CometChat saw the replies come from. */
  readonly postedAs: readonly string[]
  readonly line: LogLine | undefined
}

export interface Stage {
  /** Starts a service as the settings say, and asks it to post one reply for each token. */
  judge(t: Test, alike: LookAlike): Promise<readonly Outcome[]>
  /** The configuration of a provider, with its files in place. */
  configOf(alike: LookAlike): Config
}

export async function createStage(t: Test, uids: readonly string[]): Promise<Stage> {
  const { emulator, env } = await startEmulator(t)
  for (const uid of uids) emulator.addUser({ uid })
  emulator.addGroup({ guid: 'everybody', members: ['alice', ...uids] })
  const parent = emulator.addMessage({ sender: 'alice', receiver: 'everybody', receiverType: 'group' })
  const payload = { receiver: 'everybody', receiverType: 'group', data: { text: 'Hi' } }
  const folder = mkdtempSync(join(tmpdir(), 'look-alikes-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))

  function envOf({ provider, settings, files = {} }: LookAlike): Readonly<Record<string, string>> {
    const own = join(folder, createHash('sha256').update(provider).digest('hex').slice(0, 12))
    const local = (text: string): string => text.replaceAll(/(?<=^|")\/run\//g, `${own}/`)
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(local(path)), { recursive: true })
      writeFileSync(local(path), typeof content === 'string' ? content : local(JSON.stringify(content)))
    }
    const values = Object.entries(settings).map(([name, value]) => [name, local(value)])
    return { ...env, SETTLE_MS: '0', STORE_URL: 'memory:', ...Object.fromEntries(values) }
  }

  const configOf = (alike: LookAlike): Config => loadConfig(envOf(alike), readText)

  async function judge(t: Test, alike: LookAlike): Promise<readonly Outcome[]> {
    const lines: LogLine[] = []
    const log = createLogger('info', { write: text => void lines.push(JSON.parse(text)) })
    const { app, readiness } = await createService(configOf(alike), { log })
    t.teardown(() => app.close())
    await until(readiness, ({ reasons }) => reasons.length === 0)
    const outcomes: Outcome[] = []
    for (const [index, one] of alike.tokens.entries()) {
      emulator.clear()
      const answer = await app.inject({
        method: 'POST',
        url: `/threads/${parent.id}/replies`,
        headers: headersOf(one),
        payload
      })
      const line = await until(() => lines.filter(({ msg }) => msg === 'request')[index])
      const postedAs = emulator.ledger.map(({ onBehalfOf }) => onBehalfOf ?? 'the app')
      outcomes.push({ status: answer.statusCode, code: answer.json().code, postedAs, line })
    }
    return outcomes
  }
  return { judge, configOf }
}

export function headersOf({ token, headers }: LookAlikeToken): Readonly<Record<string, string>> {
  return headers?.(token) ?? { authorization: `Bearer ${token}` }
}

/** The UID of a row; `hash of ISSUER and SUBJECT` is worked out as docs/authentication.md describes it. */
export function expectedUid(uid: string): string {
  const [, issuer, subject] = /^hash of (\S+) and (\S+)$/.exec(uid) ?? []
  if (issuer === undefined || subject === undefined) return uid
  const hash = createHash('sha256')
  for (const part of [issuer, subject]) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(part))
    hash.update(length).update(part)
  }
  const bits = Array.from(hash.digest(), byte => byte.toString(2).padStart(8, '0')).join('')
  const fives = bits.match(/.{1,5}/g) ?? []
  return fives.map(five => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

function readText(path: string): string {
  return readFileSync(path, 'utf8')
}
