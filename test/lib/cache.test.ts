import t from 'tap'
import { CoalescingCache, SingleFlight } from '../../src/lib/cache.ts'

t.test('calls that overlap are one call, those that follow are another', async t => {
  const flights = new SingleFlight<number>()
  let calls = 0
  const call = async (): Promise<number> => {
    await new Promise(resolve => setImmediate(resolve))
    return ++calls
  }
  t.same(await Promise.all([flights.run('a', call), flights.run('a', call), flights.run('b', call)]), [1, 1, 2])
  t.notOk(flights.has('a'))
  t.equal(await flights.run('a', call), 3)

  const failing = async (): Promise<number> => Promise.reject(new Error(`failure ${++calls}`))
  const failures = await Promise.allSettled([flights.run('a', failing), flights.run('a', failing)])
  t.same(
    failures.map(failure => failure.status === 'rejected' && failure.reason.message),
    ['failure 4', 'failure 4']
  )
  t.equal(flights.size, 0)
})

t.test('an answer is believed for its time to live and not a millisecond longer', async t => {
  let nowMs = 0
  let asked = 0
  const cache = new CoalescingCache<number>({ clock: { monotonic: () => nowMs }, maxEntries: 2 })
  const ask = (ttlMs: number) => async () => ({ value: ++asked, ttlMs })

  t.equal(await cache.get('a', ask(1000)), 1)
  nowMs = 999
  t.equal(await cache.get('a', ask(1000)), 1)
  nowMs = 1000
  t.equal(await cache.get('a', ask(0)), 2)
  t.equal(await cache.get('a', ask(1000)), 3, 'a time to live of nothing is not remembered')
  t.equal(cache.size, 1)

  for (const key of ['b', 'c', 'd']) await cache.get(key, ask(1000))
  t.equal(cache.size, 2)
})

t.test('a failure is not remembered, and questions are bounded', async t => {
  const cache = new CoalescingCache<string>({
    clock: { monotonic: () => 0 },
    maxEntries: 10,
    limit: { maxAsking: 2, tooMany: () => new Error('busy') }
  })
  await t.rejects(
    cache.get('a', async () => Promise.reject(new Error('down'))),
    { message: 'down' }
  )
  t.equal(await cache.get('a', async () => ({ value: 'up', ttlMs: 1 })), 'up')

  const open = Promise.withResolvers<{ value: string; ttlMs: number }>()
  const asking = ['x', 'y', 'x'].map(key => cache.get(key, () => open.promise))
  await t.rejects(
    cache.get('z', () => open.promise),
    { message: 'busy' }
  )
  t.equal(await cache.get('a', () => open.promise), 'up', 'what is known needs no question')
  open.resolve({ value: 'asked', ttlMs: 1 })
  t.same(await Promise.all(asking), ['asked', 'asked', 'asked'])
})
