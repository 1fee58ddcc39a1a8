import t from 'tap'
import { describeBug } from '../../src/lib/bug.ts'

t.test('a bug is told by its name and frames, never by what it says', async t => {
  const { errorName, frames } = describeBug(new TypeError('canary\n    canary at line 2'))

  t.equal(errorName, 'TypeError')
  t.ok(frames.length > 0)
  for (const frame of frames) t.match(frame, /^\s+at /)
  t.notMatch(JSON.stringify(frames), 'canary')
})

t.test('twelve frames are enough', async t => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 100
  t.teardown(() => {
    Error.stackTraceLimit = stackTraceLimit
  })
  const deep = (depth: number): Error => (depth === 0 ? new Error('deep') : deep(depth - 1))

  t.equal(describeBug(deep(50)).frames.length, 12)
})

t.test('what is no error has a type and no frames', async t => {
  for (const [thrown, errorName] of [
    ['canary', 'string'],
    [undefined, 'undefined'],
    [{ stack: '    at canary' }, 'object']
  ] as const) {
    t.same(describeBug(thrown), { errorName, frames: [] })
  }
})
