import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { hasArrivedOnce } from '../../demo/terminal/first-reply.ts'
import { paintFor } from '../../demo/terminal/show.ts'
import { createKey, createRandom } from '../../emulator/random.ts'
import type { PostedMessage } from '../../emulator/types.ts'
import { runDemo } from './demo-process.ts'

// Each test starts the whole demo, which takes a busy machine a while.
t.setTimeout(240_000)

const ONCE = ['--once', '--port', '0']
/** The emulator makes its key from its seed, which is 1. */
const KEY = createKey(createRandom(1))
const fingerprint = `sha256:${createHash('sha256').update(KEY).digest('hex').slice(0, 8)}`

t.test('--once shows a reply on its whole way, without colours, and ends with status 0', async t => {
  const { code, stdout, stderr } = await runDemo(t, ONCE)

  t.equal(code, 0)
  t.equal(stderr, '')
  const [sent = '', received = '', came = ''] = stdout.split(/\n\d\. /).slice(1)
  t.match(sent, /^What the client sent\n\n {2}POST http:\/\/127\.0\.0\.1:\d+\/threads\/100\/replies\n/)
  t.match(sent, '\n  Idempotency-Key: my-first-reply\n')
  t.match(received, '\n  POST /v3/messages/100/thread\n')
  t.match(received, '\n  onBehalfOf: alice\n')
  t.match(came, /^What came back\n\n {2}HTTP 201\n/)
  t.match(stdout, /The reply is in CometChat exactly once, by alice\.\n$/)
  t.notMatch(stdout, '\u001b')
})

t.test('neither the key nor a whole token is printed', async t => {
  const { stdout } = await runDemo(t, ONCE)

  t.match(stdout, `\n  apikey: (the secret key; its fingerprint is ${fingerprint})\n`)
  t.notMatch(stdout, KEY)
  t.match(stdout, /\n {2}Authorization: Bearer [\w-]{16}\.\.\. \(\d+ characters\)\n/)
  t.notMatch(stdout, /eyJ[\w-]+\.[\w-]+\.[\w-]+/)
})

t.test('a service that cannot start ends the demo with status 1 and its own words', async t => {
  const { code, stdout, stderr } = await runDemo(t, ONCE, { REPLY_DEADLINE_MS: 'soon' })

  t.equal(code, 1)
  t.match(stderr, /^The service ended with status 78\.\n\nThe configuration is wrong:\n {2}- REPLY_DEADLINE_MS must be/)
  t.notMatch(stdout + stderr, /^\s+at /m)
})

t.test('the shell cannot point the demo at a real CometChat or at another issuer', async t => {
  const env = { COMETCHAT_APP_ID: 'app', COMETCHAT_API_KEY_FILE: '/nowhere', AUTH_JWT_SECRET: 'short', UID_MODE: 'no' }

  const { code, stderr } = await runDemo(t, ONCE, env)

  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
})

t.test('a port that is taken is told, and a free one is used', async t => {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  t.teardown(() => void holder.close())
  const taken = String((holder.address() as AddressInfo).port)

  const { code, stdout } = await runDemo(t, ['--once', '--port', taken])

  t.equal(code, 0)
  const [, used, wanted] = /the service {2}http:\/\/127\.0\.0\.1:(\d+) \((\d+) is taken\)/.exec(stdout) ?? []
  t.equal(wanted, taken)
  t.match(stdout, `POST http://127.0.0.1:${used}/threads/100/replies`)
})

for (const [title, isTTY, env, coloured] of [
  ['a terminal has colours', true, {}, true],
  ['an empty NO_COLOR says nothing', true, { NO_COLOR: '' }, true],
  ['NO_COLOR takes them away', true, { NO_COLOR: '1' }, false],
  ['what is no terminal has none', false, { FORCE_COLOR: '1' }, false]
] as const) {
  t.test(title, async t => {
    t.equal(paintFor({ isTTY }, env)('bold', 'text') !== 'text', coloured)
  })
}

const byAlice = { onBehalfOf: 'alice', message: { sender: 'alice' } } as PostedMessage
const byApp = { onBehalfOf: null, message: { sender: 'app_system' } } as PostedMessage
for (const [title, ledger, status, arrived] of [
  ['one post by alice and a 201 is an arrival', [byAlice], 201, true],
  ['no post is none', [], 201, false],
  ['two posts are none', [byAlice, byAlice], 201, false],
  ['a post in the name of the app is none', [byApp], 201, false],
  ['a post that the client was told nothing of is none', [byAlice], 504, false]
] as const) {
  t.test(title, async t => {
    t.equal(hasArrivedOnce(ledger, 'alice', { status, headers: new Headers(), body: '' }), arrived)
  })
}
