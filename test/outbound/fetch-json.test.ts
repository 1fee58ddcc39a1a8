import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { createJsonFetcher } from '../../src/outbound/fetch-json.ts'
import type { Misbehaviour } from '../helpers/identity-provider.ts'

const TIMEOUT_MS = 400
const BOMB = gzipSync(Buffer.alloc(16 * 1024 * 1024, ' '))

/** A server that misbehaves, and how many requests it has seen. */
async function startServer(t: Test, handle: Misbehaviour) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(request.url ?? '')
    handle(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

function fetcherFor(t: Test) {
  const fetchJson = createJsonFetcher({ timeoutMs: TIMEOUT_MS })
  t.teardown(() => fetchJson.close())
  return fetchJson
}

t.test('a small JSON document is read', async t => {
  const { url } = await startServer(t, (_request, response) => response.end('{"keys":[]}'))
  t.same(await fetcherFor(t)(url), { keys: [] })
})

t.test('a compressed document is read, although none was asked for', async t => {
  const encodings = { gzip: gzipSync, GZIP: gzipSync, deflate: deflateSync, br: brotliCompressSync }
  for (const [encoding, compress] of Object.entries(encodings)) {
    const { url } = await startServer(t, (_request, response) =>
      response.setHeader('content-encoding', encoding).end(compress('{"keys":[]}'))
    )
    t.same(await fetcherFor(t)(url), { keys: [] }, encoding)
  }
})

t.test('a server that insists on its own media type gives it', async t => {
  const { url } = await startServer(t, (request, response) =>
    response.writeHead(request.headers.accept?.includes('*/*') ? 200 : 406).end('{"keys":[]}')
  )
  t.same(await fetcherFor(t)(url), { keys: [] })
})

t.test('whatever else a server does ends in time, and in a rejection', async t => {
  const fetchJson = fetcherFor(t)
  const faults: Record<string, Misbehaviour> = {
    'status 500': (_request, response) => response.writeHead(500).end('{"keys":[]}'),
    'status 404, endless': (_request, response) => {
      response.writeHead(404)
      const timer = setInterval(() => response.write('x'.repeat(1000)), 20)
      response.on('close', () => clearInterval(timer))
    },
    'status 204': (_request, response) => response.writeHead(204).end(),
    'status 206': (_request, response) => response.writeHead(206).end('{"keys":[]}'),
    HTML: (_request, response) => response.end('<html></html>'),
    nothing: (_request, response) => response.end(),
    'half a document': (_request, response) => response.end('{"keys":['),
    'fewer bytes than announced': (_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"keys":[]}')
      setTimeout(() => response.destroy(), 50)
    },
    'an encoding of its own': (_request, response) => response.setHeader('content-encoding', 'zip').end('{"keys":[]}'),
    'half a compressed document': (_request, response) =>
      response.setHeader('content-encoding', 'gzip').end(gzipSync('{"keys":[]}').subarray(0, 15)),
    '16 megabytes, compressed': (_request, response) => response.setHeader('content-encoding', 'gzip').end(BOMB),
    'ten megabytes, announced': (_request, response) => response.end(`"${'x'.repeat(10 * 1024 * 1024)}"`),
    'ten megabytes, in pieces': (_request, response) => {
      for (let count = 0; count < 160; count++) response.write('x'.repeat(65_536))
      response.end()
    },
    'a document that never ends': (_request, response) => {
      const timer = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(timer))
    },
    silence: () => undefined,
    'no answer, and the end': (request, _response) => request.socket.end(),
    'a reset': (request, _response) => request.socket.resetAndDestroy(),
    garbage: (request, _response) => request.socket.end('SSH-2.0-x\r\n')
  }

  for (const [name, fault] of Object.entries(faults)) {
    const { url } = await startServer(t, fault)
    const startedAtMs = performance.now()
    await t.rejects(fetchJson(url), name)
    t.ok(
      performance.now() - startedAtMs < TIMEOUT_MS + 1500,
      `${name}: ${Math.round(performance.now() - startedAtMs)} ms`
    )
  }
})

t.test('a redirect is followed nowhere', async t => {
  const other = await startServer(t, (_request, response) => response.end('{"keys":[]}'))
  const fetchJson = fetcherFor(t)
  for (const status of [301, 302, 303, 307, 308, 300]) {
    const { url, seen } = await startServer(t, (_request, response) =>
      response.writeHead(status, { location: other.url }).end('{"keys":[]}')
    )
    await t.rejects(fetchJson(url), String(status))
    t.equal(seen.length, 1)
  }
  t.same(other.seen, [])
})
