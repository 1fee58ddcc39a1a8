// What requests hold together, counted on sockets.
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { heldBodies } from '../../../src/http/memory/held-bodies.ts'
import { parseJsonBodies } from '../../../src/http/memory/read-body.ts'
import { until } from '../../helpers/until.ts'

const BODY_BYTES = 50_000

t.test('a client that leaves before its body is read gives back what was booked for it', async t => {
  const waiting: (() => void)[] = []
  let answered = 0
  const app = Fastify()
  parseJsonBodies(app)
  // As long as the caller is looked up.
  app.addHook('onRequest', async () => new Promise<void>(resolve => waiting.push(resolve)))
  // The share of one holder is enough for one body, and not for two.
  await app.register(heldBodies, { holderOf: () => 'alice', maxBytes: 8 * 1.5 * BODY_BYTES })
  app.addHook('onSend', async () => void answered++)
  app.post('/', async () => 'read')
  t.teardown(() => app.close())
  await app.listen()
  const { port } = app.server.address() as AddressInfo

  const client = connect(port)
  client.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${BODY_BYTES}\r\n\r\n{`)
  const [request] = await Promise.all([once(app.server, 'request'), until(() => waiting.length > 0)])
  client.destroy()
  await until(() => request[0].destroyed)
  waiting.shift()?.()
  await until(() => answered > 0)

  const next = fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify('x'.repeat(BODY_BYTES - 2))
  })
  await until(() => waiting.length > 0)
  waiting.shift()?.()
  t.equal((await next).status, 200)
})
