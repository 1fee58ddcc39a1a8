import { Readable } from 'node:stream'
import fastify from 'fastify'
import t from 'tap'
import { Secret } from '../../src/lib/secret.ts'
import { cutAnswer } from '../../src/lib/tripwire/cut-answer.ts'
import { type StoppedSecret, Tripwire } from '../../src/lib/tripwire/tripwire.ts'

const KEY = '0c1f5e6a7b8d9e0f1a2b3c4d5e6f708192a3b4c5'
const tripwire = new Tripwire()
const told: StoppedSecret[] = []
tripwire.watch('COMETCHAT_API_KEY', [new Secret(KEY)])
tripwire.listen(stopped => void told.push(stopped))

const pieces = ['data: é ', KEY.slice(0, 7), KEY.slice(7), '\n\n', 'data: 0c1']
const app = fastify()
app.addHook('onSend', async (_request, response, payload) => cutAnswer(response, payload, tripwire, 'answer'))
app.get('/text', async (_request, response) => response.header('content-length', 50).send(`{"a":"${KEY}"}  `))
app.get('/bytes', async () => Buffer.from(`é ${KEY} é`))
app.get('/stream', async (_request, response) => response.type('text/event-stream').send(Readable.from(pieces)))
app.get('/headers', async (_request, response) =>
  response
    .header('location', `https://a.test/?key=${encodeURIComponent(KEY)}`)
    .header('set-cookie', 'a=1')
    .header('set-cookie', `b=${Buffer.from(KEY).toString('base64')}`)
    .send({ ok: true })
)
app.get('/escaped', async () => ({ a: KEY.replaceAll('5', '%35') }))
app.get('/clean', async (_request, response) => response.header('x-long-value', 'a'.repeat(50)).send({ ok: true }))
await app.listen({ port: 0 })
t.teardown(() => app.close())
const { port } = app.server.address() as { port: number }

async function get(path: string) {
  told.length = 0
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { headers: response.headers, text: await response.text() }
}

t.test('a secret is cut out of a body, however it is sent', async t => {
  t.equal((await get('/text')).text, '{"a":"[removed]"}  ', 'its length is told anew')
  t.same(told, [{ exit: 'answer', variable: 'COMETCHAT_API_KEY' }])
  t.equal((await get('/bytes')).text, 'é [removed] é')
  t.equal((await get('/stream')).text, 'data: é [removed]\n\ndata: 0c1', 'in two pieces, too')
  t.equal((await get('/escaped')).text, '"[removed]"', 'JSON, where nothing less would do')
})

t.test('a secret is cut out of headers, each of several lines included', async t => {
  const { headers } = await get('/headers')
  t.equal(headers.get('location'), 'https://a.test/?key=[removed]')
  const [first, second = ''] = headers.getSetCookie()
  t.equal(first, 'a=1')
  t.match(second, /^b=\[removed\]/)
  t.equal(told.length, 2)
})

t.test('an answer without one is as it was', async t => {
  const { headers, text } = await get('/clean')
  t.same([text, headers.get('x-long-value'), told], ['{"ok":true}', 'a'.repeat(50), []])
})
