// Pages by number over a stretch of a list: what they must show, whatever the largest page is.
import t from 'tap'
import { windowOver } from '../../../src/upstream/listing/windows.ts'

t.test('the smallest page that shows the stretch is taken', t => {
  t.same(windowOver(0, 10, 100, true), { start: 0, end: 10 })
  t.same(windowOver(30, 60, 100, true), { start: 30, end: 60 })
  t.same(windowOver(5, 15, 100, true), { start: 0, end: 15 })
  t.same(windowOver(90, 100, 100, true), { start: 90, end: 100 })
  t.same(windowOver(45, 55, 100, false), { start: 44, end: 55 }, 'pages of 11 begin at 44')
  t.end()
})

t.test('a page of the largest size counts, too', t => {
  t.same(windowOver(0, 100, 100, true), { start: 0, end: 100 })
  t.same(windowOver(200, 300, 100, false), { start: 200, end: 300 })
  t.same(windowOver(1, 3, 3, true), { start: 0, end: 3 })
  t.end()
})

t.test('what no page shows whole is shown from its beginning or from its end, as far as one goes', t => {
  const isWrong = (from: number, to: number, isFromBeginning: boolean): boolean => {
    const { start, end } = windowOver(from, to, 12, isFromBeginning)
    const isPage = start % (end - start) === 0 && end - start <= 12
    return !isPage || !(isFromBeginning ? start <= from && from < end : start < to && to <= end)
  }
  const stretches = Array.from({ length: 60 * 20 }, (_, index) => {
    const from = index % 60
    return [from, from + 1 + Math.floor(index / 60)] as const
  })

  for (const isFromBeginning of [true, false]) {
    t.same(
      stretches.filter(([from, to]) => isWrong(from, to, isFromBeginning)),
      []
    )
  }
  t.end()
})
