// Variables that platforms set by themselves, and the mistakes of those who set them by hand.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { runService, type ServiceEnv, startService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

const EXIT_CONFIG = 78
const CHECK = ['--check-config']
/** As Kubernetes adds them for a Service called `admin`, and Docker for a link. */
const LINKS: ServiceEnv = Object.fromEntries(
  ['ADMIN', 'STORE', 'AUTH', 'UID_TABLE', 'REPLY'].flatMap(name => [
    [`${name}_SERVICE_HOST`, '10.0.0.9'],
    [`${name}_SERVICE_PORT`, '6379'],
    [`${name}_SERVICE_PORT_HTTP`, '6379'],
    [`${name}_PORT`, 'tcp://10.0.0.9:6379'],
    [`${name}_PORT_6379_TCP`, 'tcp://10.0.0.9:6379'],
    [`${name}_PORT_6379_TCP_PROTO`, 'tcp'],
    [`${name}_PORT_6379_TCP_PORT`, '6379'],
    [`${name}_PORT_6379_TCP_ADDR`, '10.0.0.9']
  ])
)

t.setTimeout(240_000)
t.jobs = 2
const { env, parentId } = await startEmulator(t)

t.test('Services near by are nobody’s settings, and nothing is warned of', async t => {
  const { exitCode, output } = await runService({ ...env, ...LINKS, ADMIN_PORT: 'tcp://10.0.0.9:6379' }, CHECK)

  t.equal(exitCode, 0)
  t.match(output, 'probes on 127.0.0.1:3001')
  t.notMatch(output, 'not known here')
})

t.test('what the operator sets goes before them', async t => {
  const { exitCode, output } = await runService({ ...env, ...LINKS, ADMIN_PORT: '4001' }, CHECK)

  t.equal(exitCode, 0)
  t.match(output, 'probes on 127.0.0.1:4001')
})

t.test('an address in ADMIN_PORT without such a Service is a mistake', async t => {
  const { exitCode, errors } = await runService({ ...env, ADMIN_PORT: 'tcp://10.0.0.9:6379' }, CHECK)

  t.equal(exitCode, EXIT_CONFIG)
  t.match(errors, 'ADMIN_PORT must be a whole number')
})

t.test('levels are written as people write them', async t => {
  const service = await startService(t, { ...env, LOG_LEVEL: 'INFO' })

  t.equal((await postReply(service, { parentId })).status, 201)
})

t.test('WEB_CONCURRENCY of a platform says what to set beside records in memory', async t => {
  const { exitCode, errors } = await runService({ ...env, WEB_CONCURRENCY: '2' }, CHECK)

  t.equal(exitCode, EXIT_CONFIG)
  for (const advice of ['STORE_URL', 'file:PATH', 'WEB_CONCURRENCY=1', 'Heroku']) t.match(errors, advice)
})

const TYPOS = {
  LOGLEVEL: 'LOG_LEVEL',
  WEB_CONCURENCY: 'WEB_CONCURRENCY',
  HSOT: 'HOST',
  COMETCHAT_APIKEY: 'COMETCHAT_API_KEY'
}

t.test('a name that is nearly ours is told, with the one that was meant', async t => {
  const { exitCode, output } = await runService({ ...env, ...typos() }, CHECK)

  t.equal(exitCode, 0)
  for (const [typo, meant] of Object.entries(TYPOS))
    t.match(output, `${typo} is not known here: did you mean ${meant}?`)
})

t.test('also when another mistake ends the start, since it may be the cause', async t => {
  const { exitCode, errors } = await runService({ ...env, COMETCHAT_API_KEY: undefined, ...typos() }, CHECK)

  t.equal(exitCode, EXIT_CONFIG)
  t.match(errors, 'COMETCHAT_API_KEY or COMETCHAT_API_KEY_FILE must be set.')
  for (const [typo, meant] of Object.entries(TYPOS))
    t.match(errors, `${typo} is not known here: did you mean ${meant}?`)
})

function typos(): ServiceEnv {
  return Object.fromEntries(Object.keys(TYPOS).map(name => [name, '1']))
}

t.test('the variables of shells and of other programs are warned of never', async t => {
  const others =
    'HOME HOSTNAME USER TERM SHELL PWD OLDPWD LANG SHLVL LOGNAME PORTAGE MAIL TZ DYNO NODE_ENV npm_config_x'
  const { output } = await runService(
    { ...env, ...Object.fromEntries(others.split(' ').map(name => [name, 'x'])) },
    CHECK
  )

  t.notMatch(output, 'not known here')
})

/** An issuer whose keys never come. */
async function startSilentIssuer(): Promise<string> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('a port in use is the one thing that is said', async t => {
  const issuer = await startSilentIssuer()
  const port = new URL(issuer).port
  const published = { AUTH_JWT_SECRET: undefined, AUTH_JWT_ISSUER: issuer }
  const { exitCode, errors, output } = await runService({ ...env, ...published, PORT: port })

  t.equal(exitCode, 1)
  t.equal(errors, `127.0.0.1:${port} is taken: change PORT.\n`)
  t.same(
    output.split('\n').flatMap(line => (/"level":"(warn|error|fatal)"/.test(line) ? [JSON.parse(line).msg] : [])),
    [
      'STORE_URL is memory: delivery records do not survive this process; use file:PATH or redis://',
      `127.0.0.1:${port} is taken: change PORT.`
    ],
    'and where a program reads standard output, as a line of the log'
  )
})

t.test('one port for both listeners is a mistake, not a port in use', async t => {
  const { exitCode, errors } = await runService({ ...env, PORT: '3001', ADMIN_PORT: undefined }, CHECK)

  t.equal(exitCode, EXIT_CONFIG)
  t.match(errors, 'PORT and ADMIN_PORT must not be the same.')
})

for (const [name, port] of [
  ['HOST', 'PORT'],
  ['ADMIN_HOST', 'ADMIN_PORT']
] as const) {
  t.test(`an address of another machine speaks of ${name}`, async t => {
    const { exitCode, errors } = await runService({ ...env, [name]: '203.0.113.7' })

    t.equal(exitCode, 1)
    t.equal(errors, `203.0.113.7 is no address of this machine (EADDRNOTAVAIL): change ${name}.\n`)
    t.notMatch(errors, ` ${port}`)
  })
}

t.test('refusals of a start are lines of the log where standard output is no terminal', async t => {
  const { exitCode, output, errors } = await runService({ ...env, PORT: 'x', LOG_LEVEL: 'loud' })
  const lines = output.split('\n').map(line => JSON.parse(line))

  t.equal(exitCode, EXIT_CONFIG)
  t.match(lines, [
    { level: 'fatal', time: /^\d{4}-/, msg: /^PORT must be/ },
    { level: 'fatal', msg: /^LOG_LEVEL must be/ }
  ])
  t.match(errors, /^The configuration is wrong:\n {2}- PORT must be/)
})
