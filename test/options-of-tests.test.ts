// tap writes the outcome of a test into its options: of tests that share an object and run at a time, one outcome is seen.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { testFiles } from './files.ts'

const SEVERAL_AT_A_TIME = /^t\.jobs\b/m
/** The name of an object stands where `needsRedis()`, a literal or the function of the test would be one of its own. */
const SHARED_OPTIONS = /\bt\.test\(\s*(?:`[^`]*`|'[^']*'|\w+),\s*[A-Za-z]\w*,/g

const sharedIn = (text: string): string[] => text.match(SHARED_OPTIONS) ?? []

t.test('where several tests run at a time, each has options of its own', async t => {
  const files = testFiles().map(file => ({ file, text: readFileSync(file, 'utf8') }))
  const several = files.filter(({ text }) => SEVERAL_AT_A_TIME.test(text))

  t.ok(several.length > 5)
  for (const { file, text } of several) t.same(sharedIn(text), [], file)
})

t.test('what is shared is found, and nothing else', async t => {
  for (const shared of ['t.test(`of a store`, options, async t => {', "  t.test('a', skip, async t => {"])
    t.equal(sharedIn(shared).length, 1, shared)
  for (const own of [
    "t.test('a', needsRedis(), async t => {",
    "t.test('a', { ...options }, async t => {",
    "t.test('a', async t => {",
    "t.test('a, b', t => check(t, world))"
  ]) {
    t.same(sharedIn(own), [], own)
  }
})
