// A file is followed from the moment it is watched, also through a while in which it cannot be read.
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { watchFileText } from '../../src/lib/watch-file.ts'
import { until } from '../helpers/until.ts'

/** Longer than a look at the file and the next. */
const SEVERAL_LOOKS_MS = 2500

function follow(t: Test, text = 'first') {
  const path = join(t.testdir({ secret: text }), 'secret')
  const texts: string[] = []
  const unreadable: number[] = []
  const close = watchFileText(
    path,
    next => void texts.push(next),
    () => void unreadable.push(texts.length)
  )
  t.teardown(close)
  return { path, texts, unreadable, close }
}

t.test('a change in the turn in which it is watched is read, once', async t => {
  const { path, texts } = follow(t)
  writeFileSync(path, 'second')
  await until(() => texts.length > 0)
  await sleep(SEVERAL_LOOKS_MS)

  t.same(texts, ['second'])
})

t.test('a file that does not change is not told, and neither is a change after the end', async t => {
  const { path, texts, unreadable, close } = follow(t)
  await sleep(SEVERAL_LOOKS_MS)
  close()
  writeFileSync(path, 'second')
  await sleep(SEVERAL_LOOKS_MS)

  t.same([texts, unreadable], [[], []])
})

t.test('a symlink two directories up is followed, as that of a Kubernetes secret', async t => {
  const directory = t.testdir({ v1: { key: 'first' }, v2: { key: 'other' } })
  symlinkSync('v1', join(directory, '..data'))
  mkdirSync(join(directory, 'mount'))
  symlinkSync('../..data/key', join(directory, 'mount', 'key'))
  const texts: string[] = []
  t.teardown(watchFileText(join(directory, 'mount', 'key'), text => void texts.push(text)))
  symlinkSync('v2', join(directory, '..next'))
  renameSync(join(directory, '..next'), join(directory, '..data'))
  await until(() => texts.length > 0)

  t.same(texts, ['other'])
})

t.test('a file that goes is told once, and read when it comes back as it was', async t => {
  const { path, texts, unreadable } = follow(t)
  rmSync(path)
  await until(() => unreadable.length > 0)
  await sleep(SEVERAL_LOOKS_MS)
  t.same([texts, unreadable], [[], [0]])
  writeFileSync(path, 'first')
  await until(() => texts.length > 0)

  t.same([texts, unreadable], [['first'], [0]])
})

t.test('a version that could not be opened is read as soon as it can be', async t => {
  const { path, texts, unreadable } = follow(t)
  writeFileSync(path, 'second')
  const release = takeAllDescriptors(t)
  await until(() => unreadable.length > 0)
  await sleep(SEVERAL_LOOKS_MS)
  t.same([texts, unreadable], [[], [0]], 'told once')
  release()
  await until(() => texts.length > 0)

  t.same(texts, ['second'])
})

function prlimit(...args: readonly string[]): string {
  const { status, stdout } = spawnSync('prlimit', ['--pid', `${process.pid}`, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`prlimit ended with ${status}`)
  return stdout.trim()
}

/** Nothing more can be opened until it is released (EMFILE), as on a machine that is short of descriptors. */
function takeAllDescriptors(t: Test): () => void {
  const open = readdirSync('/proc/self/fd').length
  const limit = prlimit('--nofile', '--output=SOFT', '--noheadings')
  prlimit(`--nofile=${open + 64}:`)
  // The process may be that of other files, too.
  t.teardown(() => void prlimit(`--nofile=${limit}:`))
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch {
    t.not(taken.length, 0)
  }
  return () => {
    for (const fd of taken) closeSync(fd)
  }
}
