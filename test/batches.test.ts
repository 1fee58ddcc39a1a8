import t from 'tap'
import { batchesOf } from './batches.ts'

const [ALONE, OTHER, SHORT, BRIEF] = [
  'test/storm/storm.test.ts',
  'test/storm/redis-storm.test.ts',
  'test/lib/claims.test.ts',
  'test/lib/clock.test.ts'
]

t.test('the longest begin, and short ones share a process', async t => {
  const seconds = { [SHORT]: 2, [ALONE]: 40, [BRIEF]: 1, [OTHER]: 60 }
  t.strictSame(
    batchesOf([BRIEF, SHORT, ALONE, OTHER], { seconds, cpuSeconds: {} }).map(({ files }) => files),
    [[OTHER], [ALONE], [SHORT, BRIEF]]
  )
})

t.test('one that mostly waits is marked, where both of its times are known', async t => {
  const seconds = { [ALONE]: 40, [OTHER]: 40, [SHORT]: 10 }
  const marked = (cpuSeconds: Record<string, number>): string[] =>
    batchesOf([ALONE, OTHER, SHORT], { seconds, cpuSeconds }).flatMap(({ files, mostlyWaits }) =>
      mostlyWaits ? files : []
    )
  t.strictSame(marked({ [ALONE]: 9, [OTHER]: 10, [SHORT]: 1 }), [ALONE])
  t.strictSame(marked({}), [])
})
