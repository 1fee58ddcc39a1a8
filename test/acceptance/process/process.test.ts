// The command: its options, the configurations that it refuses, and what a probe sees.
import { createServer } from 'node:net'
import t from 'tap'
import { IN_MEMORY, runService, type ServiceEnv, startService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

const EXIT_USAGE = 64
const EXIT_CONFIG = 78
const CHECK = ['--check-config']
/** Stands in every wrong value: none may be shown. */
const CANARY = 'CANARY'

// Two dozen processes, on a machine that may be busy.
t.setTimeout(240_000)
const { env, parentId } = await startEmulator(t)
const noTokens = { AUTH_JWT_ISSUER: undefined, AUTH_JWT_AUDIENCE: undefined, AUTH_JWT_SECRET: undefined }
const noCometChat = { COMETCHAT_BASE_URL: undefined }

type Refused = [title: string, change: ServiceEnv, names: string | RegExp]
const refused: Refused[] = [
  ['TLS checks are switched off', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, 'NODE_TLS_REJECT_UNAUTHORIZED'],
  ['the HTTP parser is lenient', { NODE_OPTIONS: '--insecure-http-parser' }, '--insecure-http-parser'],
  [
    'CometChat is far away and unencrypted',
    { COMETCHAT_BASE_URL: `http://${CANARY}.example.com` },
    'COMETCHAT_BASE_URL'
  ],
  [
    'the address of CometChat holds a password',
    { COMETCHAT_BASE_URL: `https://u:${CANARY}@chat.test` },
    'COMETCHAT_BASE_URL'
  ],
  ['the address of CometChat has a path', { COMETCHAT_BASE_URL: `https://chat.test/${CANARY}` }, 'COMETCHAT_BASE_URL'],
  ['the address of CometChat is none', { COMETCHAT_BASE_URL: CANARY }, 'COMETCHAT_BASE_URL'],
  ['there is no CometChat', noCometChat, /COMETCHAT_APP_ID[\s\S]*COMETCHAT_REGION/],
  ['the region is unknown', { ...noCometChat, COMETCHAT_APP_ID: 'a1', COMETCHAT_REGION: CANARY }, 'COMETCHAT_REGION'],
  [
    'the app id is a path',
    { ...noCometChat, COMETCHAT_APP_ID: `${CANARY}/..`, COMETCHAT_REGION: 'eu' },
    'COMETCHAT_APP_ID'
  ],
  ['there is no key', { COMETCHAT_API_KEY: undefined }, 'COMETCHAT_API_KEY'],
  ['there are three keys', { COMETCHAT_API_KEY: `${CANARY}1,${CANARY}2,${CANARY}3` }, 'COMETCHAT_API_KEY'],
  ['the key has a line break inside', { COMETCHAT_API_KEY: `${CANARY} ${CANARY}` }, 'COMETCHAT_API_KEY'],
  [
    'the key is given twice',
    { COMETCHAT_API_KEY_FILE: `/${CANARY}` },
    /COMETCHAT_API_KEY or COMETCHAT_API_KEY_FILE, not both/
  ],
  [
    'the key file is not there',
    { COMETCHAT_API_KEY: undefined, COMETCHAT_API_KEY_FILE: `/${CANARY}` },
    'COMETCHAT_API_KEY_FILE'
  ],
  ['a number of hops is trusted', { TRUST_PROXY: '1' }, 'TRUST_PROXY'],
  ['everybody is trusted', { TRUST_PROXY: 'true' }, 'TRUST_PROXY'],
  ['a trusted address is none', { TRUST_PROXY: `10.0.0.0/8,${CANARY}` }, 'TRUST_PROXY'],
  ['nobody could sign in', noTokens, 'AUTH_JWT_ISSUER'],
  [
    'tokens are half switched on',
    { AUTH_JWT_AUDIENCE: undefined, AUTH_JWT_SECRET: undefined },
    /AUTH_JWT_AUDIENCE must be set/
  ],
  [
    'keys are shared and public',
    { AUTH_JWT_JWKS_URL: `https://${CANARY}.test/` },
    /AUTH_JWT_SECRET and AUTH_JWT_JWKS_URL/
  ],
  ['the shared secret is short', { AUTH_JWT_SECRET: CANARY }, 'AUTH_JWT_SECRET'],
  ['the shared secret meets public algorithms', { AUTH_JWT_ALGORITHMS: 'RS256' }, 'AUTH_JWT_ALGORITHMS'],
  [
    'the keys are fetched unencrypted',
    { AUTH_JWT_SECRET: undefined, AUTH_JWT_JWKS_URL: `http://${CANARY}.test/` },
    'AUTH_JWT_JWKS_URL'
  ],
  ['an algorithm is none', { AUTH_JWT_SECRET: undefined, AUTH_JWT_ALGORITHMS: 'none' }, 'AUTH_JWT_ALGORITHMS'],
  ['a durable store has no secret', { STORE_URL: `file:/${CANARY}` }, 'STORE_SECRET'],
  ['the store is unknown', { STORE_URL: `mysql://${CANARY}` }, 'STORE_URL'],
  ['UIDs are prefixed verbatim', { UID_PREFIX: 'canary_' }, 'UID_PREFIX'],
  ['the port is too large', { PORT: '70000' }, /^ *- PORT/m],
  ['a time is no number', { REPLY_DEADLINE_MS: `1${CANARY}` }, 'REPLY_DEADLINE_MS']
]

// A process for each would take long; mistakes about different things can share one, since all are told at once.
const lanes = Map.groupBy(refused, ([, change]) => Object.keys(change)[0]?.split('_')[0])
const runs: ReturnType<typeof runService>[] = []
for (let run = 0; [...lanes.values()].some(lane => run < lane.length); run++) {
  const together = [...lanes.values()].map(lane => lane[run]?.[1] ?? {})
  runs.push(runService(Object.assign({ ...env }, ...together), CHECK))
  if (run % 2 === 1) await Promise.all(runs)
}

for (const lane of lanes.values()) for (const [run, row] of lane.entries()) testRefusal(row, runs[run])

t.test('every mistake is told in one message, also without the option, and nothing is started', async t => {
  const wrong = { PORT: CANARY, LOG_LEVEL: CANARY, SETTLE_MS: CANARY, IDEMPOTENCY_KEY: CANARY, DELIVERY_MARKER: CANARY }

  const { exitCode, output, errors } = await runService({ ...env, ...wrong })

  t.equal(exitCode, EXIT_CONFIG)
  for (const name of Object.keys(wrong)) t.equal(errors.split(`- ${name} `).length, 2, `${name} is named once`)
  t.notMatch(output + errors, CANARY)
  t.notMatch(output, 'listening')
})

t.test('a right configuration is shown without its secrets, and nothing is started', async t => {
  const { exitCode, output, errors } = await runService({ ...env, COMETCHAT_REGOIN: 'eu' }, CHECK)

  t.equal(exitCode, 0)
  t.match(output, /valid/)
  t.match(output, 'COMETCHAT_REGOIN is not known here: did you mean COMETCHAT_REGION?')
  t.notMatch(output + errors, env.COMETCHAT_API_KEY)
  t.notMatch(output + errors, 'a-shared-secret')
  t.notMatch(output, 'listening')
})

t.test('--help explains itself without a configuration, and an unknown option is refused', async t => {
  const help = await runService({ AUTH_JWT_ISSUER: undefined }, ['--help'])
  const unknown = await runService(env, ['--port=80'])

  t.match(help, { exitCode: 0, output: /^Usage: /, errors: '' })
  t.match(help.output, '--check-config')
  t.match(unknown, { exitCode: EXIT_USAGE, output: '', errors: /Usage: / })
})

for (const name of ['PORT', 'ADMIN_PORT']) {
  t.test(`a ${name} that is taken ends the process, which says so`, async t => {
    const taken = createServer()
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
    t.teardown(() => taken.close())
    const address = taken.address()
    const port = typeof address === 'object' ? String(address?.port) : ''

    const { exitCode, output, errors } = await runService({ ...env, [name]: port })

    t.equal(exitCode, 1)
    t.match(errors, new RegExp(`${port} is taken.* ${name}\\.`))
    t.notMatch(output, 'listening')
  })
}

t.test('a running service says where it listens, what it does not keep, and which name it does not know', async t => {
  const service = await startService(t, { ...env, AUTH_JWT_ISSUR: 'x', DRAIN_DELY_MS: '1', UNRELATED: 'x' })
  const said = service.logLines().map(({ level, msg }) => `${level} ${msg}`)

  t.ok(said.includes('warn AUTH_JWT_ISSUR is not known here: did you mean AUTH_JWT_ISSUER?'))
  t.ok(said.includes('warn DRAIN_DELY_MS is not known here: did you mean DRAIN_DELAY_MS?'))
  t.match(
    said.filter(line => !line.endsWith('tokens of this issuer are accepted')),
    [/^warn/, /^warn/, /memory/, /listening/]
  )
  t.notMatch(service.output.join(), /UNRELATED|a-shared-secret/)
  t.equal((await postReply(service, { parentId })).status, 201)

  const at = async (url: string) => {
    const response = await fetch(url)
    return [response.status, await response.json()]
  }
  t.same(await at(`${service.adminUrl}/livez`), [200, { status: 'live' }])
  t.same(await at(`${service.adminUrl}/readyz`), [200, { status: 'ready' }])
  t.same(await at(`${service.adminUrl}/readyz?verbose`), [200, { status: 'ready', reasons: [], warnings: [IN_MEMORY] }])
  for (const path of ['/livez', '/readyz', '/metrics'])
    t.match(await at(service.url + path), [404], `${path} is not public`)
  t.match(await at(`${service.adminUrl}/threads/${parentId}/replies`), [404], 'replies are not for the admin')
})

function testRefusal([title, , names]: Refused, run: ReturnType<typeof runService> | undefined): void {
  t.test(`a configuration is refused in which ${title}`, async t => {
    const { exitCode, output = '', errors = '' } = (await run) ?? {}

    t.equal(exitCode, EXIT_CONFIG)
    t.match(errors, names)
    t.notMatch(output + errors, CANARY)
    t.notMatch(errors, /\n\s+at /, 'no stack')
  })
}
