// What the service says in the log of a host: in the host's form, at the host's level, and without a secret.
import fastify from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import { Secret } from '../../src/lib/secret.ts'
import { Tripwire } from '../../src/lib/tripwire/tripwire.ts'
import { trailOf } from '../../src/observability/request-log.ts'
import { createHostLog } from '../../src/plugin/host-log.ts'

const SECRET = 'a-secret-of-thirty-two-characters'

function start(level: string) {
  const lines: Record<string, unknown>[] = []
  const host = pino(
    { level, base: { app: 'host' }, timestamp: false },
    { write: line => void lines.push(JSON.parse(line)) }
  )
  const tripwire = new Tripwire()
  tripwire.watch('COMETCHAT_API_KEY', [new Secret(SECRET)])
  return { lines, log: createHostLog(host, tripwire) }
}

t.test("lines are the host's, with the fields of the service", async t => {
  const { lines, log } = start('info')
  log.info({ status: 201 }, 'request')
  log.warn('a warning')
  log.debug('too much')
  t.strictSame(lines, [
    { level: 30, app: 'host', status: 201, msg: 'request' },
    { level: 40, app: 'host', msg: 'a warning' }
  ])
})

t.test('a line about a reply is written at every level but silent', async t => {
  for (const [level, count] of [
    ['fatal', 1],
    ['silent', 0]
  ] as const) {
    const { lines, log } = start(level)
    trailOf(log).info({ delivery: 'sent' }, 'request')
    log.info({}, 'request')
    t.equal(lines.length, count, level)
  }
})

t.test('a secret is cut out of fields and messages, and an error says nothing of itself', async t => {
  const { lines, log } = start('info')
  log.info({ subject: `x ${SECRET}`, nested: [{ deep: SECRET }] }, `of ${SECRET}`)
  log.error({ err: new Error(SECRET), code: 1 }, 'failed')
  t.notMatch(JSON.stringify(lines), SECRET)
  t.match(lines, [
    { app: 'host', subject: /^x \[/, msg: /^of \[/ },
    { code: 1, msg: 'failed' }
  ])
})

t.test('a host without a logger is no trouble', async t => {
  const app = fastify()
  t.doesNotThrow(() => createHostLog(app.log, new Tripwire()).info({ status: 1 }, 'request'))
  await app.close()
})
