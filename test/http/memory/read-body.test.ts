import { PassThrough } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { readBody } from '../../../src/http/memory/read-body.ts'

/** Reads a body of these chunks; `asked` is what was asked for beyond a declared length. */
function read(
  chunks: readonly string[],
  declaredBytes?: number,
  allowedBytes = Number.POSITIVE_INFINITY,
  source = new PassThrough()
) {
  const asked: number[] = []
  const mayHold = (bytes: number): boolean => asked.push(bytes) > 0 && asked.reduce((a, b) => a + b) <= allowedBytes
  const body = new Promise<Buffer>((resolve, reject) => {
    readBody(source, { maxBytes: 10_000, declaredBytes, mayHold }, (error, bytes) => {
      if (error) reject(error)
      else resolve(bytes)
    })
  })
  for (const chunk of chunks) source.write(chunk)
  return { source, asked, body, end: () => void source.end() }
}

t.test('a body is read as it came, in whatever pieces', async t => {
  for (const [chunks, declared] of [
    [['{"a":1}'], 7],
    [['{"a"', ':', '1}'], 7],
    [['{"a"', ':', '1}'], undefined],
    [['{"a":1}', ' and more'], 7],
    [['more', '{"a":1}'], 7],
    [Array.from({ length: 9000 }, () => 'x'), undefined],
    [[], undefined]
  ] as const) {
    const { body, end } = read(chunks, declared)
    end()
    t.equal((await body).toString(), chunks.join(''))
  }
})

t.test('a stream of text, as a hook of a host may put in its place, is read as UTF-8', async t => {
  const { body, end } = read(['{"a"', ':"é"}'], 10, 0, new PassThrough({ encoding: 'utf8' }))
  end()
  t.equal((await body).toString(), '{"a":"é"}')
})

t.test('memory is asked for in steps as it is needed, and not for a declared length', async t => {
  const chunked = read(Array.from({ length: 5000 }, () => 'x'))
  chunked.end()
  await chunked.body
  t.same(chunked.asked, [4096, 4096])
  const declared = read(['x'.repeat(5000)], 5000)
  declared.end()
  await declared.body
  t.same(declared.asked, [])
})

t.test('more than may be is refused, and what ends too early', async t => {
  const long = read(['x'.repeat(10_001)])
  await t.rejects(long.body, { code: 'payload-too-large' })
  const full = read(['x'.repeat(5000)], undefined, 4999)
  await t.rejects(full.body, { code: 'overloaded' })
  const broken = read(['x'], 7)
  await nextTurn()
  broken.source.destroy(new Error('aborted'))
  await t.rejects(broken.body, { code: 'malformed-request' })
})

t.test('what has ended too early before it is read is told at once', async t => {
  const source = new PassThrough().on('error', () => undefined)
  source.destroy(new Error('aborted'))
  await nextTurn()
  await t.rejects(read([], 7, 0, source).body, { code: 'malformed-request' })
})
