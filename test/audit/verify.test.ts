// What is found in an audit file that was changed: everything, and nothing in one that was not.
import fc from 'fast-check'
import t from 'tap'
import { Chain, createSeal, readLine } from '../../src/audit/chain.ts'
import { closing } from '../../src/audit/lines.ts'
import { Secret } from '../../src/lib/secret.ts'
import { ANY_CHARACTER } from '../helpers/any-character.ts'
import { seedOf } from '../helpers/seed.ts'
import { request, seal, verify, writeChains } from './audit-kit.ts'

const kinds = (text: string, anchors = written.anchors) =>
  verify(text, anchors).breaks.map(({ kind, place }) => (place ? `${kind} at ${place.line}` : kind))
const join = (lines: readonly string[]) => lines.map(line => `${line}\n`).join('')

const written = writeChains([30, 25])
const lines = written.text.trimEnd().split('\n')

t.test('a file that nobody touched is whole, by itself and held against the log', async t => {
  t.match(verify(written.text), { lines: lines.length, chains: 2, breaks: [], unfinished: [] })
  t.match(verify(written.text, written.anchors), { breaks: [], unfinished: [] })
})

t.test('what is read of a line is what JSON reads, whatever its members hold', t => {
  const chain = new Chain('chain-0', seal)
  const texts = fc.string({ unit: ANY_CHARACTER })
  fc.assert(
    fc.property(texts, fc.constantFrom('request', 'gap', 'open'), (uid, kind) => {
      const line = chain.add('2026-11-28T11:00:00.000Z', JSON.stringify({ kind, uid, prev: uid }).slice(1, -1))
      const { chain: id, seq, time, prev, mac, kind: of } = JSON.parse(line)
      t.strictSame({ ...readLine(line, [seal]) }, { chain: id, seq, time, prev, mac, kind: of, json: line })
    }),
    { seed: seedOf(t), numRuns: 200 }
  )
  t.end()
})

t.test('chains without an end are unfinished, not broken', async t => {
  const { text, anchors } = writeChains([30, 25], { isClosed: false })

  t.match(verify(text, anchors), { breaks: [], unfinished: ['chain-0', 'chain-1'] })
})

t.test('half a line at the end of a chain that was killed is unfinished, in the middle it is a break', async t => {
  const { text, anchors } = writeChains([30], { isClosed: false })
  const chain = new Chain('chain-0', seal)
  const all = text.trimEnd().split('\n').length
  chain.rollBack({ count: all, head: '' })
  const half = chain.add('2026-11-28T11:00:00.000Z', request(1)).slice(0, 200)

  t.match(verify(text + half, anchors), { breaks: [], unfinished: ['chain-0'] })
  t.match(kinds(text.replace('\n', `\n${half}\n`)), /unreadable|altered/)
})

t.test('each kind of break is named, at its line', async t => {
  // Of one chain: the lines of two stand in turns.
  const swapped = lines.with(10, lines[12] ?? '').with(12, lines[10] ?? '')
  const longer = lines.toSpliced(6, 1)

  t.strictSame(kinds(join([...lines.slice(0, 9), ...lines.slice(8)])), ['repeated at 10'])
  t.strictSame(kinds(join(lines.with(8, (lines[8] ?? '').replace('sent', 'not-sent')))), ['altered at 9'])
  t.match(kinds(join(longer)), [/^missing at /])
  t.strictSame(kinds(join(swapped)), ['out-of-order at 13'])
  t.strictSame(kinds(join(lines.slice(0, -2))), ['cut', 'cut'])
  t.strictSame(kinds(join(lines.filter(line => !line.includes('chain-1')))), ['cut'])
  t.strictSame(kinds(join(lines.toSpliced(4, 0, 'nothing'))), ['unreadable at 5'])
  t.strictSame(kinds(join(lines.toSpliced(4, 0, ''))), ['unreadable at 5'])
})

t.test('a line with another secret is altered, one of another chain is out of its place', async t => {
  const foreign = new Chain('chain-0', createSeal(new Secret('another-secret-of-an-audit-file-of-40-b')))
  foreign.rollBack({ count: lines.filter(line => line.includes('chain-0')).length, head: '' })

  t.strictSame(kinds(join([...lines, foreign.add('2026-11-28T11:00:00.000Z', closing())])), [
    `altered at ${lines.length + 1}`
  ])
})

t.test('a chain that was removed in front of another one leaves a trace without the log', async t => {
  t.match(kinds(join(lines.filter(line => !line.includes('"chain":"chain-0"'))), []), [/^missing at 1$/])
})

t.test('every edit, deletion, swap, repetition and cut tail is found', async t => {
  const bytes = Buffer.from(written.text)
  const index = fc.nat({ max: lines.length - 1 })
  const mutation = fc.oneof(
    fc.record({
      what: fc.constant('edit' as const),
      at: fc.nat({ max: bytes.length - 1 }),
      byte: fc.nat({ max: 255 })
    }),
    fc.record({ what: fc.constant('delete-byte' as const), at: fc.nat({ max: bytes.length - 1 }) }),
    fc.record({
      what: fc.constant('insert-byte' as const),
      at: fc.nat({ max: bytes.length - 1 }),
      byte: fc.nat({ max: 255 })
    }),
    fc.record({ what: fc.constant('delete' as const), from: index, count: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ what: fc.constant('swap' as const), a: index, b: index }),
    fc.record({ what: fc.constant('repeat' as const), from: index, to: index }),
    fc.record({ what: fc.constant('cut' as const), at: fc.nat({ max: bytes.length - 1 }) })
  )
  let changed = 0
  fc.assert(
    fc.property(mutation, mutation => {
      const text = mutate(bytes, lines, mutation)
      if (text.equals(bytes) || isSameOrder(text.toString('latin1'))) return true
      changed++
      return verifyBytes(text).breaks.length > 0
    }),
    { seed: seedOf(t), numRuns: 1500 }
  )
  t.ok(changed > 1200, `${changed} changes`)
})

/** Lines of two processes that change their places: each chain is still as it was written. */
function isSameOrder(text: string): boolean {
  const [a, b] = [text, written.text].map(whole =>
    ['chain-0', 'chain-1'].map(id =>
      whole
        .split('\n')
        .filter(line => line.startsWith(`{"v":1,"chain":"${id}"`))
        .join('\n')
    )
  )
  const isWhole = text.split('\n').length === written.text.split('\n').length
  return isWhole && JSON.stringify(a) === JSON.stringify(b) && text.length === written.text.length
}

function verifyBytes(bytes: Buffer) {
  return verify(bytes.toString('latin1'), written.anchors, 'latin1')
}

type Mutation =
  | { what: 'edit' | 'insert-byte'; at: number; byte: number }
  | { what: 'delete-byte' | 'cut'; at: number }
  | { what: 'delete'; from: number; count: number }
  | { what: 'swap'; a: number; b: number }
  | { what: 'repeat'; from: number; to: number }

function mutate(bytes: Buffer, lines: readonly string[], mutation: Mutation): Buffer {
  switch (mutation.what) {
    case 'edit':
      return Buffer.concat([bytes.subarray(0, mutation.at), Buffer.of(mutation.byte), bytes.subarray(mutation.at + 1)])
    case 'insert-byte':
      return Buffer.concat([bytes.subarray(0, mutation.at), Buffer.of(mutation.byte), bytes.subarray(mutation.at)])
    case 'delete-byte':
      return Buffer.concat([bytes.subarray(0, mutation.at), bytes.subarray(mutation.at + 1)])
    case 'cut':
      return bytes.subarray(0, mutation.at)
    case 'delete':
      return Buffer.from(join(lines.toSpliced(mutation.from, mutation.count)))
    case 'swap': {
      const { a, b } = mutation
      return Buffer.from(join(lines.with(a, lines[b] ?? '').with(b, lines[a] ?? '')))
    }
    case 'repeat':
      return Buffer.from(join(lines.toSpliced(mutation.to, 0, lines[mutation.from] ?? '')))
  }
}
