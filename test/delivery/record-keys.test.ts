import { createHmac, hash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createRecordKeys, fingerprintOf, type RecordScope } from '../../src/delivery/record-keys.ts'
import { seedOf } from '../helpers/seed.ts'

const SECRET = 'a-store-secret-for-tests-of-40-bytes-xxx'
const names = createRecordKeys(SECRET)
const seed = seedOf(t)

/** Letters that a careless way to join parts would take for its own. */
const part = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab|:,/\u0000 1é'), maxLength: 6 }),
  fc.constantFrom('record', 'client', 'random', 'marker', '2:ab', '1:a1:b', 'undefined')
)

type Parts = readonly [issuer: string, subject: string, uid: string, parentId: string, key: string]

const nameOf = ([issuer, subject, uid, parentId, key]: Parts, by = names): string =>
  by.recordKey({ issuer, subject, uid: uid as RecordScope['uid'], parentId }, key)

const isSame = (a: Parts, b: Parts): boolean => a.every((text, index) => text === b[index])

t.test('two tuples have one record if and only if they are one tuple', async t => {
  const tuple = fc.tuple(part, part, part, part, part)
  fc.assert(
    fc.property(tuple, tuple, (a, b) => (nameOf(a) === nameOf(b)) === isSame(a, b)),
    { seed, numRuns: 2000 }
  )
  t.equal(nameOf(['i', 's', 'u', '1', 'k']), nameOf(['i', 's', 'u', '1', 'k']), 'the same again is the same')
})

t.test('where one part ends and the next begins makes a difference, for every letter and every pair', async t => {
  const texts = fc.tuple(part, part, part, part, part)
  fc.assert(
    fc.property(texts, fc.nat({ max: 3 }), fc.constantFrom('', '|', ':', '\u0000'), (parts, at, glue) => {
      const letters = [...`${parts[at]}${glue}${parts[at + 1]}`]
      const splits = letters.map((_, cut) =>
        parts.with(at, letters.slice(0, cut).join('')).with(at + 1, letters.slice(cut).join(''))
      )
      return new Set(splits.map(split => nameOf(split as unknown as Parts))).size === splits.length
    }),
    { seed, numRuns: 1000 }
  )
  t.not(nameOf(['i', 'a|bc', 'd', '1', 'k']), nameOf(['i', 'a', '|bcd', '1', 'k']))
  t.not(nameOf(['i', 'a', 'bc', '1', 'k']), nameOf(['i', 'ab', 'c', '1', 'k']))
})

t.test('without a key every reply has a record of its own, and no key can ask for it', async t => {
  const scope: RecordScope = { issuer: 'i', subject: 's', uid: 'u' as RecordScope['uid'], parentId: '1' }
  const made = Array.from({ length: 200 }, () => names.recordKey(scope, undefined))

  t.equal(new Set(made).size, made.length)
  for (const key of ['', 'undefined', 'random']) t.notOk(made.includes(names.recordKey(scope, key)), key)
})

t.test('names and marks are what they have always been: replies of before an upgrade are found after it', async t => {
  const secret = hash('sha256', SECRET, 'buffer')
  const derived = (text: string): Buffer => createHmac('sha256', secret).update(text).digest()

  fc.assert(
    fc.property(part, part, (subject, key) => {
      const sized = (text: string): string => `${Buffer.byteLength(text)}:${text}`
      const name = derived(`6:record1:i${sized(subject)}1:u1:16:client${sized(key)}`).toString('base64url')
      const mark = derived(`6:marker43:${name}`).subarray(0, 16).toString('base64url')
      return nameOf(['i', subject, 'u', '1', key]) === name && names.marker(name) === mark
    }),
    { seed, numRuns: 500 }
  )
  t.equal(nameOf(['i', 's', 'u', '1', 'k']), 'yDFyEg8bw3-_XqeyoVFCdmADkZrzdAjJDm0ZMdGQ1jE')
  t.equal(names.marker('yDFyEg8bw3-_XqeyoVFCdmADkZrzdAjJDm0ZMdGQ1jE'), '9-VHmcayiiwFEWYv7Uj_bg')
  t.equal(
    fingerprintOf({ b: [1, { d: null, c: 'é' }], a: undefined }),
    'c29608af105bd1faabf7372a135c2e38551bfc44514696763d50ce074c51191f'
  )
})

t.test('without a record to derive it from, every mark is another', async t => {
  const marks = Array.from({ length: 200 }, () => names.marker(undefined))

  t.equal(new Set(marks).size, marks.length)
  for (const mark of marks) t.match(mark, /^[A-Za-z0-9_-]{22}$/)
})

t.test('the order of members makes no other request, at any depth', async t => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), value => fingerprintOf(value) === fingerprintOf(reversed(value))),
    { seed, numRuns: 500 }
  )
  t.equal(fingerprintOf({ a: 1, b: { c: 2, d: 3 } }), fingerprintOf({ b: { d: 3, c: 2 }, a: 1 }))
  t.equal(fingerprintOf({ a: 1, b: undefined }), fingerprintOf({ a: 1 }), 'a member that is not there is not there')
})

t.test('the order of a list makes another request, and so does every other value', async t => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer(), { minLength: 2, maxLength: 6 }), list => {
      return fingerprintOf({ tags: list }) !== fingerprintOf({ tags: list.toReversed() })
    }),
    { seed, numRuns: 300 }
  )
  const different: readonly unknown[] = [
    null,
    '',
    0,
    '0',
    [],
    {},
    [[]],
    [0],
    ['0'],
    { 0: 0 },
    { a: null },
    [null],
    'null'
  ]
  t.equal(new Set(different.map(fingerprintOf)).size, different.length)
})

t.test('the mark is 22 characters of base64url, the same for one secret and another for another', async t => {
  const scope = ['i', 's', 'u', '1', 'k'] as const
  const [same, other, random] = [SECRET, `${SECRET}y`, undefined].map(secret => createRecordKeys(secret))
  const record = nameOf(scope)
  const mark = names.marker(record)

  t.match(mark, /^[A-Za-z0-9_-]{22}$/)
  t.equal(same?.marker(record), mark)
  for (const names of [other, random]) {
    t.not(names?.marker(record), mark)
    t.not(nameOf(scope, names), record, 'nor can a record be found without the secret')
  }
  t.not(names.marker(nameOf(['i', 's', 'u', '1', 'l'])), mark, 'each record has a mark of its own')
  t.notOk(record.includes(mark) || mark === record.slice(0, 22), 'the mark tells nothing of the name')
})

/** The same value with the members of every object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).toReversed()
  return Object.fromEntries(members.map(([name, member]) => [name, reversed(member)]))
}
