// When lines leave: together with those of the same turn of the event loop, and before the process ends.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { turnByTurn } from '../../src/observability/logger.ts'

const LOGGER = new URL('../../src/observability/logger.ts', import.meta.url).href
const PIPE_BUF = 4096

/** What a process has written when it ended, whose first lines say `first` and `second`. */
async function linesOf(ending: string): Promise<unknown[]> {
  const program = `const { createLogger } = await import('${LOGGER}')
const log = createLogger('info')
log.info('first')
log.info('second')
${ending}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [written] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return written
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line).msg)
}

for (const [title, ending] of [
  ['by itself', ''],
  ['with process.exit', 'process.exit(1)'],
  ['by an error that nobody catches', 'throw new Error()'],
  ['by a promise that nobody awaits', 'void Promise.reject(new Error())']
] as const) {
  t.test(`a process that ends ${title} has written its last lines`, async t => {
    t.same(await linesOf(ending), ['first', 'second'])
  })
}

/** A line of so many bytes. */
function lineOf(length: number, level = 'info'): string {
  const head = `{"level":"${level}","text":"`
  return `${head.padEnd(length - 3, 'x')}"}\n`
}

/** Writes lines in one turn and returns the lengths of what was written by its end, and a moment later. */
async function writesOf(lines: readonly string[]) {
  const written: string[] = []
  const { write } = turnByTurn({ write: text => written.push(text) })
  for (const line of lines) write(line)
  const lengths = (): number[] => written.map(({ length }) => length)
  const atOnce = lengths()
  await nextTurn()
  return { text: written.join(''), atOnce, inTheEnd: lengths() }
}

t.test('the lines of one turn are one write, in their order', async t => {
  const lines = [lineOf(50), lineOf(60), lineOf(70)]

  const { text, atOnce, inTheEnd } = await writesOf(lines)

  t.equal(text, lines.join(''))
  t.same([atOnce, inTheEnd], [[], [180]])
})

t.test('a write is never more than reaches a pipe in one piece, unless a single line is', async t => {
  const lines = [1000, 3000, 96, 5000, 40, PIPE_BUF, 50].map(length => lineOf(length))

  const { text, inTheEnd } = await writesOf(lines)

  t.equal(text, lines.join(''))
  t.same(inTheEnd, [4096, 5000, 40, PIPE_BUF, 50])
})

for (const level of ['warn', 'error', 'fatal', 'debug']) {
  t.test(`a line of level ${level} waits for nothing, and nothing overtakes another`, async t => {
    const lines = [lineOf(50), lineOf(60, level), lineOf(70)]

    const { text, atOnce, inTheEnd } = await writesOf(lines)

    t.equal(text, lines.join(''))
    t.same([atOnce, inTheEnd], [[110], [110, 70]])
  })
}
