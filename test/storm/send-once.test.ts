import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { sendOnce } from './send-once.ts'

const UNKNOWN = { delivery: 'unknown', retryable: true }
const REFUSED = '{"status":401,"code":"unauthenticated","delivery":"not-sent","retryable":false}'

/** Sends to a server that answers so, or to none; what is known then. */
async function send(t: Test, answer?: { status: number; text: string; type: string }) {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (answer) response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.text)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close().closeAllConnections())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const signal = answer ? AbortSignal.timeout(20_000) : AbortSignal.timeout(50)
  return sendOnce(url, 'token', 'key', { data: { text: 'hello' } }, signal)
}

t.test('what the service says is believed', async t => {
  const sent = { status: 201, text: '{"data":{"id":7}}', type: 'application/json; charset=utf-8' }
  t.same(await send(t, sent), { delivery: 'sent', retryable: false, messageId: '7' })
  const refused = { status: 401, text: REFUSED, type: 'application/problem+json' }
  t.match(await send(t, refused), { delivery: 'not-sent', code: 'unauthenticated' })
})

t.test('what a gateway says of itself, and no answer at all, is unknown', async t => {
  for (const [status, text, type] of [
    [502, '<html>Bad Gateway</html>', 'text/html'],
    [504, '{"message": "Endpoint request timed out"}', 'application/json'],
    [503, '{"type":"about:blank","status":503}', 'application/problem+json'],
    [429, 'null', 'application/json'],
    [200, '<html>Sign in to the Wi-Fi</html>', 'text/html'],
    [201, '{}', 'application/json'],
    [201, '{"delivery":"sent","retryable":false}', 'application/json'],
    [403, '', 'text/plain']
  ] as const) {
    t.same(await send(t, { status, text, type }), UNKNOWN, `${status} ${text}`)
  }
  t.same(await send(t), UNKNOWN, 'silence')
  t.same(await sendOnce('http://127.0.0.1:9/', 'token', 'key', {}, AbortSignal.timeout(20_000)), UNKNOWN, 'nobody')
})
