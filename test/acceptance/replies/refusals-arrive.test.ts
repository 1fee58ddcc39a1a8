// A refusal that is known before the body is here reaches the client that is still sending it, whatever reads the answer.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { connectRaw, type RawConnection, requestBytes } from '../../helpers/raw-http.ts'
import { readiness, startService } from '../../helpers/service-process.ts'
import { startTarget, stillServes } from '../../helpers/target.ts'
import { until } from '../../helpers/until.ts'

const MB = 1024 * 1024
const target = await startTarget(t, { env: { AUTH_JWT_COOKIE: 'token' } })
const bearer = { authorization: `Bearer ${target.tokens.alice}` }
const json = { 'content-type': 'application/json' }

interface Refusal {
  readonly status: number
  readonly code: string
  readonly headers: Record<string, string>
  readonly path?: string
  readonly method?: string
}

/** Every refusal before the body. Each would also be a 413: the earlier step is the one that is told. */
const REFUSALS: readonly Refusal[] = [
  { status: 400, code: 'reserved-name', headers: { ...bearer, ...json, apikey: 'a' } },
  { status: 401, code: 'unauthenticated', headers: json },
  { status: 403, code: 'csrf', headers: { ...json, cookie: `token=${target.tokens.alice}` } },
  { status: 404, code: 'not-found', headers: { ...bearer, ...json }, path: '/nothing' },
  { status: 405, code: 'method-not-allowed', headers: { ...bearer, ...json }, method: 'PUT' },
  { status: 413, code: 'payload-too-large', headers: { ...bearer, ...json } },
  { status: 415, code: 'unsupported-media-type', headers: { ...bearer, 'content-type': 'text/plain' } }
]

const draining = await startService(t, {
  COMETCHAT_BASE_URL: target.emulator.url,
  COMETCHAT_API_KEY: target.emulator.apiKey,
  REPLY_DEADLINE_MS: '20000'
})

type Told = readonly [status: number, code: string | undefined, delivery: string | undefined]

function toldIn(status: number, text: string): Told {
  const { code, delivery } = JSON.parse(text) as { code?: string; delivery?: string }
  return [status, code, delivery]
}

async function byFetch({ path = target.path, method = 'POST', headers }: Refusal, bytes: number, chunked: boolean) {
  const body = chunked ? new Blob([Buffer.alloc(bytes, ' ')]).stream() : Buffer.alloc(bytes, ' ')
  const options = { method, headers, body, ...(chunked && { duplex: 'half' }) }
  const answer = await fetch(target.service.url + path, options as RequestInit)
  return toldIn(answer.status, await answer.text())
}

async function byCurl(
  { path = target.path, method = 'POST', headers }: Refusal,
  file: string,
  more: readonly string[]
): Promise<Told> {
  const flags = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const args = ['-sS', '-X', method, '-w', '\n%{http_code}', ...flags, ...more, '--data-binary', `@${file}`]
  const curl = spawn('curl', [...args, target.service.url + path], { stdio: ['ignore', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  const errors: Buffer[] = []
  curl.stdout.on('data', chunk => out.push(chunk))
  curl.stderr.on('data', chunk => errors.push(chunk))
  await once(curl, 'close')
  const [text = '', status] = Buffer.concat(out)
    .toString()
    .split(/\n(?=\d+$)/)
  if (text === '') throw new Error(Buffer.concat(errors).toString())
  return toldIn(Number(status), text)
}

/** Resolves once the kernel has taken everything; rejects where the other side has reset the connection. */
function isWritten({ socket }: RawConnection): Promise<void> {
  return new Promise((resolve, reject) => socket.write('', error => (error ? reject(error) : resolve())))
}

/** Writes all of it before it reads a byte, as clients without an event loop do. */
async function bySocket(
  t: Test,
  { path = target.path, method = 'POST', headers }: Refusal,
  body: Buffer,
  chunked = false
) {
  const client = await connectRaw(t, target.service.url)
  client.socket.pause()
  const length = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(body.length) }
  client.send(requestBytes(`${method} ${path}`, { ...headers, ...length }))
  if (!chunked) client.send(body)
  for (let start = 0; chunked && start < body.length; start += 65_536) {
    const chunk = body.subarray(start, start + 65_536)
    client.send(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]))
  }
  if (chunked) client.send('0\r\n\r\n')
  await isWritten(client)
  await sleep(20)
  client.socket.resume()
  const { status, text } = await client.answer()
  client.socket.destroy()
  return toldIn(status, text)
}

for (const refusal of REFUSALS) {
  const { status, code } = refusal
  const expected: Told = [status, code, 'not-sent']
  // Each step drops what comes in the same way: the largest bodies go to one that ends its connection and one that does not.
  const largest = status === 413 || status === 401 ? [40 * MB] : []

  t.test(`${status} ${code} arrives by fetch`, async t => {
    for (const bytes of [5 * MB, ...largest]) {
      for (const chunked of [false, true]) {
        // Several at once, but for the largest: those cost the machine more than they tell.
        const all = bytes > 5 * MB ? [expected] : [expected, expected, expected]
        const told = await Promise.all(all.map(() => byFetch(refusal, bytes, chunked)))
        t.same(told, all, `${bytes} bytes, chunked: ${chunked}`)
      }
    }
  })

  t.test(`${status} ${code} arrives by curl`, async t => {
    for (const bytes of [5 * MB, ...largest]) {
      const file = `${t.testdir()}/body`
      writeFileSync(file, Buffer.alloc(bytes, ' '))
      for (const more of [[], ['-H', 'Expect:'], ['-H', 'Transfer-Encoding: chunked']]) {
        t.same(await byCurl(refusal, file, more), expected, `${bytes} bytes ${more.join(' ')}`)
      }
    }
  })

  t.test(`${status} ${code} arrives at a client that writes before it reads`, async t => {
    for (const bytes of [300_000, 12 * MB]) {
      for (const chunked of [false, true]) {
        const told = await bySocket(t, refusal, Buffer.alloc(bytes, ' '), chunked)
        t.same(told, expected, `${bytes} bytes, chunked: ${chunked}`)
      }
    }
  })
}

t.test('503 draining arrives', async t => {
  const client = await connectRaw(t, draining.url)
  client.send(requestBytes('GET /', {}))
  await client.answer()
  client.send('POST /threads/1/replies HTTP/1.1\r\n')
  const exited = draining.stop('SIGTERM')
  await until(
    () => readiness(draining).catch(() => [503] as const),
    ([status]) => status === 503
  )
  await sleep(2200)
  client.socket.pause()
  client.send(`host: a\r\ncontent-length: ${5 * MB}\r\n\r\n`)
  client.send(Buffer.alloc(5 * MB))
  await isWritten(client)
  client.socket.resume()
  const { status, text } = await client.answer()
  t.same(toldIn(status, text), [503, 'draining', 'not-sent'])
  client.socket.destroy()
  t.equal(await exited, 0)
})

t.test('what cannot be parsed is refused while it is still being sent', async t => {
  for (const [beginning, status] of [
    [`POST / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n', 400],
    ['BREW / COFFEE\r\n\r\n', 400]
  ] as const) {
    const client = await connectRaw(t, target.service.url)
    client.socket.pause()
    client.send(beginning)
    client.send(Buffer.alloc(5 * MB, 'x'))
    await isWritten(client)
    await sleep(20)
    client.socket.resume()
    t.equal((await client.answer()).status, status, beginning.slice(0, 40))
    await client.ended
  }
})

t.test('garbage behind a whole request does not take its answer away', async t => {
  const client = await connectRaw(t, target.service.url)
  client.socket.pause()
  client.send(requestBytes(`POST ${target.path}`, { ...bearer, ...json }, target.goodBody('before garbage')))
  client.send(Buffer.alloc(5 * MB, '\x00'))
  await isWritten(client)
  await sleep(100)
  client.socket.resume()
  t.equal((await client.answer()).status, 201)
  await client.ended
})

t.test('a small refused body leaves the connection as it is', async t => {
  const client = await connectRaw(t, target.service.url)
  for (let round = 0; round < 3; round++) {
    client.send(requestBytes(`POST ${target.path}`, json, 'x'.repeat(1000)))
    t.equal((await client.answer()).status, 401)
  }
  client.send(requestBytes(`POST ${target.path}`, { ...bearer, ...json }, target.goodBody()))
  t.equal((await client.answer()).status, 201)
})

t.test('what is dropped has an end, in time and in bytes', async t => {
  const slow = await connectRaw(t, target.service.url)
  const startedAtMs = performance.now()
  slow.send(requestBytes(`POST ${target.path}`, { ...json, 'content-length': String(5 * MB) }))
  const drip = setInterval(() => slow.send('x'), 200)
  t.equal((await slow.answer()).status, 401)
  t.ok(performance.now() - startedAtMs < 4000, 'the answer does not wait for the body')
  await slow.ended
  clearInterval(drip)
  const tookMs = performance.now() - startedAtMs
  t.ok(tookMs > 4500 && tookMs < 12_000, `${Math.round(tookMs)} ms`)

  const fast = await connectRaw(t, target.service.url)
  fast.send(requestBytes(`POST ${target.path}`, { ...json, 'content-length': String(400 * MB) }))
  const piece = Buffer.alloc(MB)
  for (let count = 0; count < 400 && !fast.socket.destroyed; count++) {
    await new Promise<void>(resolve => fast.socket.write(piece, () => resolve()))
  }
  t.ok(fast.socket.bytesWritten < 100 * MB, `${Math.round(fast.socket.bytesWritten / MB)} MB were taken`)
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
