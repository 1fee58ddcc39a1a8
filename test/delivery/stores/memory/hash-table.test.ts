import fc from 'fast-check'
import t from 'tap'
import { type Entry, HashTable } from '../../../../src/delivery/stores/memory/hash-table.ts'
import { seedOf } from '../../../helpers/target.ts'

interface Named extends Entry<Named> {
  readonly value: number
}

const entryOf = (key: string, value = 0): Named => ({ key, value, next: undefined })

t.test('whatever is added and deleted, it holds what a Map would hold', async t => {
  const seed = seedOf(t)
  // Few keys, so that the same one comes again; all lengths, so that some differ only behind what is hashed.
  const key = fc.oneof(
    fc.string({ maxLength: 2 }),
    fc.integer({ min: 0, max: 9 }).map(end => `the-same-beginning-${end}`)
  )
  const step = fc.record({ key, isDeleted: fc.boolean(), value: fc.integer() })

  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const table = new HashTable<Named>()
      const model = new Map<string, Named>()
      for (const { key, isDeleted, value } of steps) {
        const known = table.get(key)
        if (known !== model.get(key)) return false
        if (known) table.delete(known)
        model.delete(key)
        if (isDeleted) continue
        const entry = entryOf(key, value)
        table.add(entry)
        model.set(key, entry)
      }
      const held = new Set(table.values())
      return table.size === model.size && held.size === model.size && [...model.values()].every(one => held.has(one))
    }),
    { seed, numRuns: 500 }
  )
})

t.test('it grows, and finds each of many', async t => {
  const table = new HashTable<Named>()
  const entries = Array.from({ length: 5000 }, (_, index) => entryOf(`record ${index}`))
  for (const entry of entries) table.add(entry)

  t.equal(table.size, 5000)
  t.ok(entries.every(entry => table.get(entry.key) === entry))
  for (const entry of entries) table.delete(entry)
  t.equal(table.size, 0)
  t.ok(entries.every(({ key, next }) => table.get(key) === undefined && next === undefined))
})

t.test('to delete what is not in it changes nothing', async t => {
  const table = new HashTable<Named>()
  const kept = entryOf('same key')
  table.add(kept)

  table.delete(entryOf('same key'))
  table.delete(entryOf('another'))

  t.equal(table.get('same key'), kept)
  t.equal(table.size, 1)
  table.clear()
  t.equal(table.get('same key'), undefined)
  t.equal(table.size, 0)
})

t.test('a record is found after a look at few others, however many there are', async t => {
  let looks = 0
  const watched = (name: string): Named => ({
    get key() {
      looks++
      return name
    },
    value: 0,
    next: undefined
  })
  const table = new HashTable<Named>()
  const names = Array.from({ length: 50_000 }, (_, index) => `${index}`.padStart(12, '0'))
  for (const name of names) table.add(watched(name))
  looks = 0

  t.ok(names.every(name => table.get(name)))
  t.ok(looks < 3 * names.length, `${looks} looks for ${names.length} records`)
})
