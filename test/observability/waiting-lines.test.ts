// What waits for a reader of the log: in its order, bounded, and what is lost is counted and told in its place.
import t from 'tap'
import { WaitingLines } from '../../src/observability/waiting-lines.ts'

const MAX_BYTES = 100

/** Lines of ten bytes, and what was taken of them. */
function create() {
  const told: number[] = []
  const waiting = new WaitingLines(MAX_BYTES, lost => {
    told.push(lost)
    waiting.add(`lost ${lost}\n`.padStart(10), true)
  })
  const add = (name: string, isVital = false): void => waiting.add(`${name}\n`.padStart(10, '.'), isVital)
  const takeAll = (): string[] => {
    let text = ''
    for (let part = waiting.take(MAX_BYTES); part !== ''; part = waiting.take(MAX_BYTES)) text += part
    return text
      .split('\n')
      .slice(0, -1)
      .map(line => line.replace(/^[. ]*/, ''))
  }
  return { waiting, told, add, takeAll }
}

const names = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => `${from + index}`)

t.test('lines are taken in their order: as many as fit, and one that is too long alone', async t => {
  const { waiting, add } = create()
  for (const name of ['a', 'b', 'c']) add(name)

  t.equal(waiting.take(25), '........a\n........b\n')
  t.equal(waiting.take(5), '........c\n')
  t.equal(waiting.take(5), '')
  t.equal(waiting.bytes, 0)
})

t.test('bytes count, not characters', async t => {
  const { waiting } = create()
  waiting.add('ä€😀\n', false)
  t.equal(waiting.bytes, 10)
})

t.test('as much as there is room for waits, and no line is lost before that', async t => {
  const { told, add, takeAll } = create()
  for (const name of names(10)) add(name)

  t.same(takeAll(), names(10))
  t.same(told, [])
})

t.test('a line without room is lost, and so are those behind it until half of the room is free', async t => {
  const { waiting, told, add, takeAll } = create()
  for (const name of names(12)) add(name)
  waiting.take(40)
  add('12')
  t.same(told, [], 'six lines wait')
  waiting.take(10)
  t.same(told, [3])
  add('13')

  t.same(takeAll(), ['5', '6', '7', '8', '9', 'lost 3', '13'], 'it is told where the lines are missing')
  t.same(told, [3], 'and once')
})

t.test('a vital line takes the place of the oldest other ones, and then of the oldest vital ones', async t => {
  const { waiting, told, add, takeAll } = create()
  add('alarm', true)
  for (const name of names(9)) add(name)
  for (const name of names(9, 100)) add(name, true)
  t.equal(waiting.bytes, MAX_BYTES)
  add('last', true)

  t.same(takeAll().slice(0, 10), [...names(9, 100), 'last'])
  t.same(told, [10])
})

t.test('a loss can be told before it is over', async t => {
  const { waiting, told, add, takeAll } = create()
  for (const name of names(11)) add(name)
  waiting.tellLoss()

  t.same(told, [1])
  t.same(takeAll(), [...names(9, 1), 'lost 1', 'lost 1'], 'one more went for the line that tells it')
})
