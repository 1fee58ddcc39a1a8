// `npm run -s explain-token < token.txt`: would this token be accepted, and what decides?
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createSigningKey, startIdentityProvider } from '../../helpers/identity-provider.ts'
import { baseEnv } from '../../helpers/service-process.ts'
import { startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const LAUNCHER = [`${ROOT}bin/thread-reply-bff`, '--explain-token']
const SCRIPT = ['npm', 'run', '-s', 'explain-token']
const { env } = await startEmulator(t)

async function explain(
  t: Test,
  input: string,
  more: Record<string, string | undefined> = {},
  [file = '', ...args]: readonly string[] = LAUNCHER
) {
  const child = spawn(file, args, {
    cwd: ROOT,
    env: { HOME: process.env['HOME'], ...baseEnv(), ...env, ...more } as NodeJS.ProcessEnv,
    stdio: ['pipe', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  child.stdin.end(input)
  const [[code], output, errors] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  for (const part of input
    .trim()
    .split('.')
    .filter(({ length }) => length > 30))
    t.notOk(output.includes(part), 'no part of it is repeated')
  return { code, output, errors }
}

t.test('a token that fits is accepted, and the UID is named', async t => {
  const { code, output, errors } = await explain(t, await tokenFor('alice'), {}, SCRIPT)

  t.strictSame({ code, errors }, { code: 0, errors: '' })
  t.match(output, 'accepted: a reply is posted as UID "alice"')
  t.match(output, /^ {2}fits {3}aud {8}"replies"; AUTH_JWT_AUDIENCE asks for "replies"$/m)
  t.notMatch(output, 'FAILS')
})

t.test('`Bearer` and blanks around and within are tolerated', async t => {
  const token = await tokenFor('alice')
  const wrapped = `\n  bearer ${token.slice(0, 40)}\n${token.slice(40)}\r\n`
  t.equal((await explain(t, wrapped)).code, 0)
})

t.test(
  'a token that does not fit is refused with each thing that is wrong, its variable and the word of the log',
  async t => {
    const token = await tokenFor('Alice', { claims: { aud: 'other', scope: 'read', azp: 'app' } })
    const { code, output } = await explain(t, token, { AUTH_JWT_SCOPE: 'write', AUTH_JWT_CLAIMS: 'azp=web|ios,!sts' })

    t.equal(code, 1)
    t.match(output, /FAILS {2}aud .*"other"; AUTH_JWT_AUDIENCE asks for "replies" \(token-audience\)/)
    t.match(output, /FAILS {2}azp .*"app"; AUTH_JWT_CLAIMS wants it to be "web" or "ios" \(token-claim\)/)
    t.match(output, /FAILS {2}scope .*scope "read"; AUTH_JWT_SCOPE asks for "write" \(token-scope\)/)
    t.match(output, /fits {3}sts /)
    t.match(output, /fits {3}signature /)
    t.match(output, 'refused: token-audience (unauthenticated)')
  }
)

t.test('a user who cannot be one in CometChat is refused by what makes UIDs', async t => {
  const { code, output } = await explain(t, await tokenFor('Alice'))

  t.equal(code, 1)
  t.match(output, /FAILS {2}UID .*of "Alice" by UID_CLAIM sub, UID_MODE verbatim/)
  t.match(output, 'refused: uid-form (identity-unmappable)')
})

t.test('keys are asked for as the service does, and why they cannot be read is said', async t => {
  const provider = await startIdentityProvider(t, [await createSigningKey('one')])
  const token = await provider.tokenFor('alice')
  t.equal((await explain(t, token, provider.env)).code, 0)

  provider.failKeys((_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end())
  const { code, output } = await explain(t, token, provider.env)
  t.equal(code, 1)
  t.match(output, 'keys-status-302')
  t.match(output, 'identity-provider-unavailable')
})

t.test('what is no token is refused, and what a terminal obeys is not repeated', async t => {
  for (const input of ['', '\u001b[31mred', 'a.b', 'x'.repeat(100_000)]) {
    const { code, output } = await explain(t, input)
    t.equal(code, 1)
    t.match(output, /refused: token-/)
    t.notOk(output.includes('\u001b'))
  }
  const { output } = await explain(t, await tokenFor('a', { claims: { aud: '\u009b31m\u202e' } }))
  t.match(output, '\\u009b31m\\u202e')
})

t.test('a wrong configuration is refused as at the start', async t => {
  const { code, errors } = await explain(t, await tokenFor('alice'), {
    AUTH_JWT_AUDIENCE: undefined,
    AUTH_JWT_SECRET: 'short'
  })
  t.equal(code, 78)
  t.match(errors, 'AUTH_JWT_SECRET')
})
