import t from 'tap'
import { createMemorySessionStore } from '../../../src/login/stores/memory.ts'
import type { SessionRecord } from '../../../src/login/stores/session-store.ts'

function record(indexKeys: readonly string[], endsAtMs = 1000): SessionRecord {
  return { sealed: 'sealed', indexKeys, idleEndsAtMs: endsAtMs, endsAtMs }
}

t.test('somebody who makes claims without end stops nobody: the oldest claim goes', async t => {
  const store = createMemorySessionStore(3)
  for (const name of ['1', '2', '3']) t.equal(await store.consumeOnce(name, 1000, 0), true)

  t.equal(await store.consumeOnce('4', 1000, 0), true)

  t.equal(await store.consumeOnce('2', 1000, 0), false, 'the others stay')
  t.equal(await store.consumeOnce('4', 1000, 0), false)
  t.equal(await store.consumeOnce('1', 1000, 0), true)
})

t.test('what is over makes room before anything else does', async t => {
  const store = createMemorySessionStore(2)
  await store.put('over', record(['a'], 10), 0)
  await store.put('good', record(['a']), 0)

  await store.put('new', record(['a']), 20)

  t.equal(await store.get('over'), undefined)
  t.ok(await store.get('good'))
  t.equal((await store.deleteIndexed('a')).length, 2)
})

t.test('the sessions of an owner are found without looking at those of others', async t => {
  const store = createMemorySessionStore()
  let reads = 0
  const watched = (): SessionRecord => ({
    ...record([]),
    get indexKeys() {
      reads++
      return ['somebody else']
    }
  })
  for (let index = 0; index < 100; index++) await store.put(`other ${index}`, watched(), 0)
  await store.put('one', record(['alice', 'sid']), 0)
  await store.put('two', record(['alice']), 0)
  reads = 0

  t.equal((await store.deleteIndexed('sid')).length, 1)
  t.equal((await store.deleteIndexed('alice')).length, 1)
  t.equal((await store.deleteIndexed('alice')).length, 0)

  t.equal(reads, 0)
  t.equal(await store.get('two'), undefined)
})

t.test('a session that was pushed out belongs to nobody', async t => {
  const store = createMemorySessionStore(1)
  await store.put('one', record(['alice']), 0)
  await store.put('two', record(['bob']), 0)

  t.equal((await store.deleteIndexed('alice')).length, 0)
  t.equal((await store.deleteIndexed('bob')).length, 1)
})
