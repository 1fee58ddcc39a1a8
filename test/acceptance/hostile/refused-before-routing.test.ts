// Refusals that Node's HTTP server or the router would answer in their own words, if they were let.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem, type ProblemCode } from '../../helpers/problem.ts'
import { connectRaw, requestBytes } from '../../helpers/raw-http.ts'
import { startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const { emulator, env, parentId } = await startEmulator(t)
const service = await hostService(t, { ...env, REPLY_DEADLINE_MS: '2000' })
const path = `/threads/${parentId}/replies`
const signedIn = { authorization: `Bearer ${await tokenFor('alice')}`, 'content-type': 'application/json' }
const body = JSON.stringify({ data: { text: 'hi' }, receiver: 'bob', receiverType: 'user' })
const post = (headers: Record<string, string>) => requestBytes(`POST ${path}`, { ...signedIn, ...headers }, body)

const cases: [title: string, bytes: string, code: ProblemCode][] = [
  ['a request line that is none', 'HELLO\r\n\r\n', 'malformed-request'],
  ['a request without Host', post({}).replace('host: bff.test\r\n', ''), 'malformed-request'],
  ['two Hosts', post({}).replace('host:', 'host: other.test\r\nhost:'), 'malformed-request'],
  ['HTTP/1.0', post({}).replace('HTTP/1.1', 'HTTP/1.0'), 'malformed-request'],
  ['two lengths', post({}).replace('host:', 'content-length: 3\r\nhost:'), 'malformed-request'],
  ['length and chunks together', post({ 'transfer-encoding': 'chunked' }), 'malformed-request'],
  ['an expectation that nobody meets', post({ expect: 'a-miracle' }), 'malformed-request'],
  ['a path that cannot be decoded', requestBytes('POST /threads/%zz/replies', signedIn, body), 'malformed-request'],
  [
    'a path of 4,000 digits',
    requestBytes(`POST /threads/${'1'.repeat(4000)}/replies`, signedIn, body),
    'malformed-request'
  ],
  ['headers of 20 kB', post({ 'x-much': 'x'.repeat(20_000) }), 'headers-too-large'],
  ['an address that is none', requestBytes('GET /threads', {}), 'not-found']
]

for (const [title, bytes, code] of cases) {
  t.test(`${title} is refused as ${code}`, async t => {
    const connection = await connectRaw(t, service.url)
    connection.send(bytes)

    const answer = await connection.answer()

    expectProblem(t, answer, code)
    t.equal(emulator.ledger.length, 0)
  })
}

t.test('every other method of a thread is refused, and Allow names those that are not', async t => {
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    const connection = await connectRaw(t, service.url)
    connection.send(requestBytes(`${method} ${path}`, {}))

    const answer = await connection.answer()

    expectProblem(t, answer, 'method-not-allowed')
    t.equal(answer.headers.get('allow'), 'GET, POST')
  }
})

t.test('garbage behind a reply under way does not make it look unsent', async t => {
  emulator.failNext({ kind: 'delay', delayMs: 500 }, { method: 'POST' })
  const connection = await connectRaw(t, service.url)
  connection.send(post({}))
  while (emulator.ledger.length === 0) await sleep(10)

  connection.send('garbage garbage\r\n\r\n')

  const answer = await connection.answer().catch(() => undefined)
  t.notMatch(answer?.json?.delivery, 'not-sent')
  t.equal(emulator.ledger.length, 1)
})

t.test('the service still takes a reply', async t => {
  const connection = await connectRaw(t, service.url)
  connection.send(post({ expect: '100-continue' }))

  const answers = [await connection.answer(), await connection.answer()]

  t.same(
    answers.map(({ status }) => status),
    [100, 201]
  )
})
