import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createReceived } from '../../demo/server/received.ts'

const KEY = 'a08ff49b6f772632716c43069c43a8c3b7cf3c25'

/** What is found of the key after a browser was given this answer. */
async function hitsAfter(answer: (response: ServerResponse) => void): Promise<number> {
  const received = createReceived()
  const server = createServer((_request, response) => {
    received.record(response)
    answer(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)).text()
  server.close()
  return received.find(KEY).hits
}

for (const [title, answer] of [
  ['in a body', response => response.end(`{"key":"${KEY}"}`)],
  ['in a body of bytes', response => response.end(Buffer.from(`x${KEY}`))],
  ['in two pieces', response => response.write(KEY.slice(0, 9)) && response.end(KEY.slice(9))],
  ['in a header that is set', response => response.setHeader('x-key', KEY).end()],
  ['in a header that is written', response => response.writeHead(200, { 'x-key': KEY }).end()],
  ['in a list of headers', response => response.writeHead(200, ['x-key', KEY]).end()],
  ['in hex', response => response.end(Buffer.from(KEY).toString('hex'))],
  ...[0, 1, 2].map(shift => [
    `in base64 behind ${shift} bytes`,
    (response: ServerResponse) => void response.end(Buffer.from(`${'x'.repeat(shift)}${KEY}y`).toString('base64'))
  ])
] as [string, (response: ServerResponse) => void][]) {
  t.test(`a secret is found ${title}`, async t => {
    t.equal(await hitsAfter(answer), 1)
  })
}

t.test('what was not sent is not found', async t => {
  t.equal(await hitsAfter(response => response.end(KEY.slice(1))), 0)
})

t.test('pieces of two answers are none', async t => {
  const received = createReceived()
  const server = createServer((request, response) => {
    received.record(response)
    response.write(request.url === '/first' ? KEY.slice(0, 9) : KEY.slice(9))
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const path of ['/first', '/second']) await (await fetch(url + path)).text()
  server.close()

  const { hits, answers, bytes } = received.find(KEY)

  t.strictSame([hits, answers], [0, 2])
  t.ok(bytes > KEY.length)
})
