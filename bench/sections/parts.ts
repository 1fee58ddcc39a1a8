// What limits, audit, traces and the last look for secrets cost one reply: each alone, in this process.
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { openAudit } from '../../src/audit/open.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { Secret } from '../../src/lib/secret.ts'
import { Tripwire } from '../../src/lib/tripwire/tripwire.ts'
import { Door } from '../../src/limits/door.ts'
import { Quota } from '../../src/limits/quota/quota.ts'
import { MemoryQuotas } from '../../src/limits/stores/memory.ts'
import { UpstreamLimits } from '../../src/limits/upstream-limits.ts'
import { LogFields } from '../../src/observability/log-fields.ts'
import { RequestSpans } from '../../src/observability/traces/request-spans.ts'
import { startTracer } from '../../src/observability/traces/tracer.ts'
import { cpuMicroseconds } from '../process-time.ts'
import { number, type Section, spread } from '../report.ts'
import { bestQuarterOf, type Settings } from '../rounds.ts'
import { startBareServer, type World } from '../world.ts'

const TURNS = 20_000
/** As many as one write of the audit takes, and the traces one export, so that they keep up. */
const AT_ONCE = 200
const PAUSE_MS = 25
const USERS = 4000
const USER_PER_MINUTE = 30
/** As many as that many users may send in a minute, so that none is refused. */
const REPLY_EVERY_MS = 60_000 / (USERS * USER_PER_MINUTE * 0.9)

interface Part {
  readonly name: string
  /** What it does for so many replies. */
  readonly run: (replies: number) => void | Promise<void>
}

const FIELDS = Object.assign(new LogFields(), {
  requestId: '0198f2a4-7d1c-7c3a-9d55-2f0e6b7a1c42',
  method: 'POST',
  route: '/threads/:parentId/replies',
  status: 201,
  delivery: 'sent',
  scheme: 'bearer',
  issuer: 'https://acme.eu.auth0.com/',
  subject: 'auth0|66f1c0ffee66f1c0ffee66f1',
  uid: 'user-1234',
  parentId: '4711',
  messageId: '4712',
  attempts: 1,
  keyFingerprint: 'c0ffee12'
})

const ATTEMPT = {
  name: 'upstream-attempt',
  call: 'POST /messages/{id}/thread',
  queueMs: 0,
  durationMs: 31,
  status: 200
} as const
const ACQUIRED = {
  name: 'store-transition',
  store: 'file',
  transition: 'acquire',
  durationMs: 0.1,
  isFailed: false
} as const

export async function measureParts(world: World, settings: Settings): Promise<Section> {
  const { stack, directory } = world
  const parts = [
    nothing(),
    digest(),
    limits(),
    await audit(stack, join(directory, 'audit.ndjson')),
    ...tripwire(),
    await traces(world)
  ]
  const costs = new Map(parts.map(({ name }) => [name, [] as number[]]))
  for (let round = 0; round <= settings.rounds; round++) {
    settings.stopping.throwIfAborted()
    settings.onProgress(`round ${round} of ${settings.rounds}`)
    for (const { name, run } of round % 2 === 0 ? parts : parts.toReversed()) {
      const before = cpuMicroseconds(process.pid)
      await run(TURNS)
      if (round > 0) costs.get(name)?.push((cpuMicroseconds(process.pid) - before) / TURNS)
    }
  }
  const [loop = Number.NaN] = [...costs.values()].map(bestQuarterOf)
  return {
    name: 'parts',
    title: 'What a part costs a reply',
    note: `Processor time of this process, less that of an empty loop; ${USERS.toLocaleString('en-US')} users in turn, ${TURNS.toLocaleString('en-US')} replies a round. The audit's writes to a file and the export of the spans are in it. The digest is there to compare machines by.`,
    head: ['', 'µs', 'spread'],
    rows: [...costs].slice(1).map(([name, all]) => [name, number(bestQuarterOf(all) - loop), spread(all)]),
    figures: Object.fromEntries(costs)
  }
}

function nothing(): Part {
  let sum = 0
  return {
    name: 'nothing',
    run: replies => {
      for (let reply = 0; reply < replies; reply++) sum += reply % USERS
      if (sum < 0) throw new Error('the loop was not run')
    }
  }
}

function digest(): Part {
  const text = 'x'.repeat(500)
  return {
    name: 'a SHA-256 of 500 characters',
    run: replies => {
      for (let reply = 0; reply < replies; reply++) hash('sha256', text, 'base64url')
    }
  }
}

/** The door, the user's log and the app's budget in memory. */
function limits(): Part {
  let nowMs = 0
  const monotonic = (): number => nowMs
  const door = new Door({ monotonic, failuresPerMinute: 120, requestsPerMinute: 6000 })
  const addresses = Array.from({ length: USERS }, (_, user) => `192.0.${user >> 8}.${user & 255}`)
  const senders = Array.from({ length: USERS }, (_, user) => ({ uid: `user-${user}` }))
  const quota = new Quota({
    store: new MemoryQuotas(monotonic),
    upstream: new UpstreamLimits({ monotonic, userLimit: USER_PER_MINUTE }),
    userLimit: USER_PER_MINUTE,
    serviceLimit: 5_000_000,
    appLimit: 20_000_000,
    isEnforced: true,
    monotonic,
    random: Math.random,
    onRefusal: policy => {
      throw new Error(`a reply was refused by the limit of the ${policy}`)
    }
  })
  return {
    name: 'door, quota of user and app, in memory',
    run: replies => {
      for (let reply = 0; reply < replies; reply++) {
        nowMs += REPLY_EVERY_MS
        const user = reply % USERS
        door.enter(addresses[user] ?? '')
        const charge = quota.charge(senders[user] ?? { uid: '' }, { units: 1, tag: reply })
        charge.end({ delivery: 'sent', isFresh: true })
      }
    }
  }
}

/** A keyed reply, of which one in ten is sampled. */
async function traces(world: World): Promise<Part> {
  const port = await startBareServer(world)
  const { tracer, close } = await startTracer({
    url: `http://127.0.0.1:${port}/v1/traces`,
    headers: {},
    timeoutMs: 10_000,
    compression: 'none',
    sampler: 'traceidratio',
    ratio: 0.1,
    resource: {},
    proxy: undefined,
    onUnsent: (spans, reason) => {
      throw new Error(`${spans} spans were lost: ${reason}`)
    },
    cut: text => text
  })
  world.stack.defer(close)
  const { monotonic } = systemClock
  const upstream = new URL('https://app.api-eu.cometchat.io')
  const spans = new RequestSpans({ tracer, trust: 'link', upstream, monotonic })
  return {
    name: 'traces, one reply in ten sampled',
    run: async replies => {
      for (let reply = 0; reply < replies; reply++) {
        const trace = spans.begin('POST', FIELDS.route, undefined)
        trace.noteTransition(ACQUIRED, monotonic())
        trace.beginAttempt(ATTEMPT.call, 0).end(ATTEMPT, monotonic())
        trace.noteTransition(ACQUIRED, monotonic())
        trace.end(FIELDS)
        if (reply % AT_ONCE === AT_ONCE - 1) await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
      }
    }
  }
}

async function audit(stack: AsyncDisposableStack, path: string): Promise<Part> {
  const secrets = [new Secret('a-secret-of-the-bench-of-48-characters-012345678')]
  const log = await openAudit({ path, secrets, mode: 'on', clock: systemClock, emit: () => undefined })
  stack.defer(() => log.close())
  return {
    name: 'a line of the audit',
    run: async replies => {
      for (let reply = 0; reply < replies; reply++) {
        log.note(FIELDS, FIELDS.subject)
        if (reply % AT_ONCE === AT_ONCE - 1) await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
      }
      if (log.trouble() !== undefined) throw new Error(`the audit file: ${log.trouble()}`)
    }
  }
}

/** An answer and a line of the log, looked through for two secrets. */
function tripwire(): readonly Part[] {
  const wire = new Tripwire()
  wire.watch('COMETCHAT_API_KEY', [new Secret('bench-key-of-40-characters-0123456789abcd')])
  wire.watch('STORE_SECRET', [new Secret('bench-secret-of-40-characters-0123456789')])
  const data = { id: '4712', muid: 'm', parentId: '100', sender: 'user-1234', receiver: 'bob', category: 'message' }
  const answer = JSON.stringify({
    data: { ...data, data: { text: 'Yes, on Friday at ten. '.repeat(8) }, sentAt: 1764000000 }
  })
  const line = `${JSON.stringify({ level: 30, time: '2026-11-28T12:00:00.000Z', msg: 'request completed', ...FIELDS })}\n`
  const look = (name: string, text: string, exit: 'answer' | 'log'): Part => ({
    name: `${name} of ${text.length} characters, looked through`,
    run: replies => {
      for (let reply = 0; reply < replies; reply++)
        if (wire.cut(text, exit) !== text) throw new Error('a secret is in it')
    }
  })
  return [look('an answer', answer, 'answer'), look('a line of the log', line, 'log')]
}
