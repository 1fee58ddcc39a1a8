// The plugin as others get it: packed, installed by npm, on Node 20 and 24, as an ES module and from CommonJS, with types.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startEmulator } from '../helpers/thread.ts'
import { tokenFor } from '../helpers/tokens.ts'
import { findNode, installPlugin, run } from './consumer.ts'
import { BY_TOKENS } from './host.ts'

const directory = mkdtempSync(join(tmpdir(), 'plugin-consumer-'))
t.teardown(() => rmSync(directory, { recursive: true, force: true }))
const TSC = fileURLToPath(new URL('../../node_modules/.bin/tsc', import.meta.url))
const page = readFileSync(new URL('../../docs/plugin.md', import.meta.url), 'utf8')
const example = page.split('```js\n')[1]?.split('```')[0] ?? ''

/** Behind the example: one reply, twice, and an end. */
const CALLS = `
const answers = []
for (const key of ['one', 'one', undefined]) {
  const headers = { authorization: 'Bearer ' + process.env.TOKEN, 'content-type': 'application/json' }
  if (key) headers['idempotency-key'] = key
  const body = JSON.stringify({ data: key ? { text: 'hello' } : { text: 5 } })
  const answer = await fetch(app.listeningOrigin + '/chat/threads/' + process.env.PARENT + '/replies', { method: 'POST', headers, body })
  const { data, code, delivery } = await answer.json()
  answers.push([answer.status, answer.headers.get('idempotent-replayed'), data?.data.text ?? code, delivery])
}
const probe = await fetch(app.listeningOrigin + '/readyz')
answers.push([probe.status])
try {
  threadReplies({ settings: { ...process.env, STORE_URL: undefined } })
} catch (error) {
  answers.push([error.name, error.message])
}
await app.close()
process.stdout.write(JSON.stringify(answers))
process.exitCode = 0
`
const ANSWERS = [
  [201, null, 'hello', null],
  [201, 'true', 'hello', null],
  [422, null, 'invalid-request', 'not-sent'],
  [200]
]
const WITHOUT_SQLITE = [
  ['ConfigError', /^Without STORE_URL records are in a file of SQLite, which Node 20[.\d]+ does not have/]
]
const quiet = example.replace('logger: true', 'logger: false')
const asCommonJs = quiet
  .replace(/^import fastify from 'fastify'/m, "const fastify = require('fastify')")
  .replace(/^import \{ threadReplies \} from/m, 'const { threadReplies } = require(')
  .replace("'thread-reply-plugin'\n", "'thread-reply-plugin')\n")

const node20 = await findNode(20)
await installPlugin(directory)
writeFileSync(join(directory, 'esm.mjs'), quiet + CALLS)
writeFileSync(join(directory, 'commonjs.cjs'), `async function main() {\n${asCommonJs}${CALLS}}\nmain()\n`)

t.test('the example of docs/plugin.md has at most fifteen lines', async t => {
  const lines = example.split('\n').filter(line => line.trim() !== '').length
  t.ok(lines > 5 && lines <= 15, `${lines}`)
})

for (const [major, program] of [
  [24, process.execPath],
  [20, node20]
] as const) {
  const skip = program === undefined && process.env['CI'] === undefined && `there is no Node ${major} on this machine`
  t.test(`on Node ${major} the example answers, as an ES module and from CommonJS`, { skip }, async t => {
    const { env, parentId, emulator } = await startEmulator(t)
    const common = { ...env, ...BY_TOKENS, PORT: '0', PARENT: parentId, TOKEN: await tokenFor('alice') }
    const inFile = { DATA_DIR: join(directory, 'data') }
    for (const [file, records] of [
      ['esm.mjs', { STORE_URL: 'memory:' }],
      ['commonjs.cjs', major === 24 ? inFile : { STORE_URL: 'memory:' }]
    ] as const) {
      emulator.clear()
      const answers = JSON.parse(await run(program ?? 'node', [file], directory, { ...common, ...records }))
      t.strictSame(answers.slice(0, ANSWERS.length), ANSWERS, file)
      t.equal(emulator.requests.filter(({ method }) => method === 'POST').length, 1, 'posted once')
      t.match(answers.slice(ANSWERS.length), major === 24 ? [] : WITHOUT_SQLITE)
      t.equal(answers.length, major === 24 ? ANSWERS.length : ANSWERS.length + 1)
    }
    if (major === 24) t.ok(existsSync(inFile.DATA_DIR), 'and by default records are in a file')
  })
}

t.test('its types say what a setting is, and add nothing to those of a host', async t => {
  const typed = `
import fastify from 'fastify'
import { type ThreadReplies, threadReplies } from 'thread-reply-plugin'
declare module 'fastify' {
  interface FastifyRequest { caller: number; facts: string }
  interface FastifyContextConfig { operation: number }
}
const replies: ThreadReplies = threadReplies({
  settings: { ...process.env, COMETCHAT_REGION: 'eu', REPLY_DEADLINE_MS: 8000, CORS_ORIGINS: ['https://a.test'], UID_CREATE: true }
})
threadReplies({ settings: process.env, log: fastify().log })
// @ts-expect-error refuses a misspelt name: a setting that no code reads would be lost in silence
threadReplies({ settings: { COMETCHAT_REGOIN: 'eu' } })
// @ts-expect-error refuses PORT: the host listens, so the plugin could not obey it
threadReplies({ settings: { PORT: 3000 } })
// @ts-expect-error refuses an object: it would be read as the text [object Object]
threadReplies({ settings: { STORE_URL: { url: 'memory:' } } })
// @ts-expect-error refuses options without settings: the plugin reads no environment by itself
threadReplies({})
const app = fastify()
void app.register(replies, { prefix: '/chat' })
const reasons: readonly string[] = replies.readiness().reasons
app.get('/', async ({ caller }) => caller + reasons.length)
replies.beginDrain()
`
  writeFileSync(join(directory, 'typed.ts'), typed)
  const flags = [
    '--ignoreConfig',
    '--noEmit',
    '--skipLibCheck',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--target',
    'es2023'
  ]
  const types = ['--types', 'node', '--typeRoots', fileURLToPath(new URL('../../node_modules/@types', import.meta.url))]
  const args = [...flags, '--module', 'nodenext', '--moduleResolution', 'nodenext', ...types, 'typed.ts']
  t.equal(await run(TSC, args, directory, { PATH: process.env['PATH'] }), '')
})
