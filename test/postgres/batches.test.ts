// What is asked of Postgres in one turn goes out as one statement, and what comes meanwhile as the next.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Batches } from '../../src/postgres/batches.ts'

interface Item {
  readonly key: string
  readonly text: string
}

/** Statements that answer when they are told to. */
function startBatches() {
  const sent: { readonly items: readonly Item[]; readonly answer: PromiseWithResolvers<readonly string[]> }[] = []
  const batches = new Batches<Item, string>({
    keyOf: ({ key }) => key,
    run(items) {
      const answer = Promise.withResolvers<readonly string[]>()
      sent.push({ items, answer })
      return answer.promise
    }
  })
  const ask = (key: string, text = key): Promise<string> => batches.ask({ key, text })
  const answerNext = async (): Promise<void> => {
    const { items, answer } = sent.at(-1) ?? {}
    answer?.resolve((items ?? []).map(({ text }) => `done: ${text}`))
    await turn()
  }
  return { ask, answerNext, sent, textsOf: () => sent.map(({ items }) => items.map(({ text }) => text)) }
}

t.test('what one turn asks for is one statement in the order of its keys, and each hears its own answer', async t => {
  const { ask, answerNext, textsOf } = startBatches()
  const asked = ['c', 'a', 'B', 'b'].map(key => ask(key))
  t.same(textsOf(), [], 'not before the turn is over')
  await turn()
  t.same(textsOf(), [['B', 'a', 'b', 'c']])
  await answerNext()
  t.same(await Promise.all(asked), ['done: c', 'done: a', 'done: B', 'done: b'])
})

t.test('while a statement is out the next one gathers, and only one is out', async t => {
  const { ask, answerNext, textsOf } = startBatches()
  const first = ask('a')
  await turn()
  const later = [ask('b')]
  await turn()
  later.push(ask('c'))
  await turn()
  t.same(textsOf(), [['a']])
  await answerNext()
  t.equal(await first, 'done: a')
  t.same(textsOf(), [['a'], ['b', 'c']])
  await answerNext()
  t.same(await Promise.all(later), ['done: b', 'done: c'])
  const last = ask('d')
  await turn()
  await answerNext()
  t.equal(await last, 'done: d')
})

t.test('a key twice in a turn goes into the next statement, in its order', async t => {
  const { ask, answerNext, textsOf } = startBatches()
  const asked = [ask('a', 'first'), ask('b'), ask('a', 'second'), ask('a', 'third')]
  await turn()
  for (let batch = 0; batch < 3; batch++) await answerNext()
  t.same(textsOf(), [['first', 'b'], ['second'], ['third']])
  t.same(await Promise.all(asked), ['done: first', 'done: b', 'done: second', 'done: third'])
})

t.test('no statement has more than 256, and none is forgotten', async t => {
  const { ask, answerNext, sent } = startBatches()
  const asked = Array.from({ length: 600 }, (_, index) => ask(`key ${index}`))
  await turn()
  for (let batch = 0; batch < 3; batch++) await answerNext()
  await Promise.all(asked)
  t.same(
    sent.map(({ items }) => items.length),
    [256, 256, 88]
  )
})

t.test('a statement that fails rejects all that were in it, and no other', async t => {
  const { ask, answerNext, sent } = startBatches()
  const failing = Promise.allSettled([ask('a'), ask('b')])
  await turn()
  const next = ask('a')
  sent[0]?.answer.reject(new Error('gone'))
  t.same(
    (await failing).map(({ status }) => status),
    ['rejected', 'rejected']
  )
  await turn()
  await answerNext()
  t.equal(await next, 'done: a')
})

t.test('who is not answered is rejected, not left waiting', async t => {
  const { ask, sent } = startBatches()
  const asked = Promise.allSettled([ask('a'), ask('b')])
  await turn()
  sent[0]?.answer.resolve(['done: a'])
  t.match(await asked, [
    { status: 'fulfilled', value: 'done: a' },
    { status: 'rejected', reason: /not answered/ }
  ])
})
