import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { isBodyPending } from '../../src/http/late-bytes.ts'

const request = (headers: Record<string, string>, state: object = {}): IncomingMessage =>
  ({ headers, complete: false, readableEnded: false, destroyed: false, ...state }) as unknown as IncomingMessage

t.test('a body is pending where one was announced and its end is not here', t => {
  for (const headers of [{ 'content-length': '5' }, { 'transfer-encoding': 'chunked' }]) {
    t.equal(isBodyPending(request(headers)), true, JSON.stringify(headers))
    for (const state of [{ complete: true }, { readableEnded: true }, { destroyed: true }])
      t.equal(isBodyPending(request(headers, state)), false, JSON.stringify(state))
  }
  for (const headers of [{}, { 'content-length': '0' }]) t.equal(isBodyPending(request(headers)), false)
  t.end()
})
