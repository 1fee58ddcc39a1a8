// When lines leave: soon, in whole writes, and before the process ends, whatever becomes of who reads them.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, createReadStream, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { createStalledReader, type StalledReader } from '../helpers/stalled-reader.ts'
import { until } from '../helpers/until.ts'

const LOGGER = new URL('../../src/observability/logger.ts', import.meta.url).href
const MIB = 1024 * 1024
const LIMIT_BYTES = 20_000

interface Line {
  readonly msg: unknown
  readonly dropped?: number
}

/** A process that logs, and then waits for SIGTERM as a service does. */
function start(stdout: number | 'pipe', program: string, launcher: readonly string[] = []): ChildProcess {
  const head = `const { createProcessLog } = await import('${LOGGER}')
const { log, beginEnd, flush } = createProcessLog('info', null)
const stay = setInterval(() => undefined, 1000)
process.once('SIGTERM', async () => { beginEnd(); log.info('stopped'); await flush(); process.exit(3) })
process.once('SIGINT', () => process.exit(4))
`
  const command = [...launcher, process.execPath, '--input-type=module', '-e', head + program]
  return spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', stdout, 'pipe', 'ipc'] })
}

function messagesIn(written: string): unknown[] {
  return linesIn(written).map(({ msg }) => msg)
}

function linesIn(written: string): Line[] {
  return written
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Line)
}

/** Reads on until the lines that were read fit, and gives all of them. */
async function readUntil(pipe: StalledReader, fits: (lines: readonly Line[]) => boolean): Promise<Line[]> {
  const lines: Line[] = []
  let rest = ''
  await until(() => {
    rest += pipe.read() ?? ''
    const end = rest.lastIndexOf('\n') + 1
    lines.push(...linesIn(rest.slice(0, end)))
    rest = rest.slice(end)
    return fits(lines)
  })
  return lines
}

/** The exit code, or the signal that ended the process. */
async function endOf(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode
  const [code, signal] = await once(child, 'exit')
  return code ?? signal
}

for (const [title, ending, code] of [
  ['by itself', 'clearInterval(stay)\nprocess.disconnect()', 0],
  ['with process.exit', 'process.exit(5)', 5],
  ['by an error that nobody catches', 'throw new Error()', 1],
  ['by a promise that nobody awaits', 'void Promise.reject(new Error())', 1],
  ['while a line is being written', "log.error('third')\nlog.info('fourth')\nprocess.exit(6)", 6]
] as const) {
  t.test(`a process that ends ${title} has written its last lines, and ends with its own code`, async t => {
    const child = start('pipe', `log.info('first')\nlog.info('second')\n${ending}`)
    const [written, end] = await Promise.all([text(child.stdout as Readable), endOf(child)])

    t.same(messagesIn(written).slice(0, 2), ['first', 'second'])
    if (code === 6) t.same(messagesIn(written).slice(2), ['third', 'fourth'])
    t.equal(end, code)
  })
}

t.test('nothing waits for a reader that does not read, and it gets everything in its time', async t => {
  const pipe = createStalledReader(t)
  const child = start(
    pipe.writer,
    `for (let n = 0; n < 1000; n++) log.info({ text: 'x'.repeat(400) }, String(n))
setTimeout(() => process.send('still turning'), 200)`
  )
  t.teardown(() => child.kill('SIGKILL'))
  t.equal(await once(child, 'message').then(([message]) => message), 'still turning')

  const lines = await readUntil(pipe, lines => lines.length === 1000)
  t.same(
    lines.map(({ msg }) => msg),
    Array.from({ length: 1000 }, (_, n) => String(n))
  )
  child.kill('SIGTERM')
  t.equal(await endOf(child), 3)
})

t.test('beyond a mebibyte lines are lost and counted, but no alarm and no last line', async t => {
  const pipe = createStalledReader(t)
  const child = start(
    pipe.writer,
    `const many = from => { for (let n = from; n < from + 5000; n++) log.info({ text: 'x'.repeat(400) }, 'request') }
many(0)
log.error('alarm')
many(5000)
setTimeout(() => process.send('full'), 200)
process.once('message', () => log.info('again'))`
  )
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message')

  const before = await readUntil(pipe, lines => lines.some(({ dropped }) => dropped !== undefined))
  child.send('go on')
  const after = await readUntil(pipe, lines => lines.some(({ msg }) => msg === 'again'))
  const lines = [...before, ...after]

  const requests = lines.filter(({ msg }) => msg === 'request').length
  const dropped = lines.reduce((sum, line) => sum + (line.dropped ?? 0), 0)
  t.equal(requests + dropped, 10_000, 'every line is there, or counted')
  const bytes = JSON.stringify(lines).length
  t.ok(bytes > MIB && bytes < 1.2 * MIB, `${bytes} bytes, of which the pipe took some`)
  t.equal(lines.filter(({ msg }) => msg === 'alarm').length, 1)
  t.ok(
    lines.findIndex(({ msg }) => msg === 'again') > lines.findIndex(line => line.dropped !== undefined),
    'the loss is told where the lines are missing'
  )
})

for (const [signal, code] of [
  ['SIGTERM', 3],
  ['SIGINT', 4]
] as const) {
  t.test(`${signal} ends a process whose reader does not read, with its own code`, async t => {
    const pipe = createStalledReader(t)
    const child = start(
      pipe.writer,
      `for (let n = 0; n < 300; n++) log.info({ text: 'x'.repeat(400) }, 'request')
setTimeout(() => process.send('full'), 100)`
    )
    t.teardown(() => child.kill('SIGKILL'))
    await once(child, 'message')
    child.kill(signal)

    t.equal(await endOf(child), code)
  })
}

t.test('a socket that stalls costs no more than a pipe', async t => {
  const child = start(
    'pipe',
    `for (let n = 0; n < 3000; n++) log.info({ text: 'x'.repeat(400) }, 'request')
setTimeout(() => process.send('still turning'), 200)`
  )
  t.teardown(() => child.kill('SIGKILL'))
  // Nothing reads it: what Node makes for a child is a pair of sockets.
  child.stdout?.pause()
  await once(child, 'message')
  child.kill('SIGTERM')

  t.equal(await endOf(child), 3)
})

t.test('a reader that leaves ends nothing, and the next one gets what waits', async t => {
  const pipe = createStalledReader(t)
  const child = start(pipe.writer, "process.on('message', text => log.info(text))\nlog.info('first')")
  t.teardown(() => child.kill('SIGKILL'))
  closeSync(pipe.writer)
  await readUntil(pipe, lines => lines.length === 1)
  pipe.leave()
  child.send('second')
  child.send('third')

  const next = createReadStream(pipe.path)
  let read = ''
  next.on('data', chunk => {
    read += chunk
  })
  await until(() => read.split('\n').length === 3)
  t.same(messagesIn(read), ['second', 'third'])
  child.kill('SIGTERM')
  t.equal(await endOf(child), 3)
})

t.test('a file that cannot grow ends nothing, and what is in it is whole as far as it goes', async t => {
  const path = join(t.testdir({}), 'log')
  const child = start(
    openSync(path, 'a'),
    `for (let n = 0; n < 100; n++) log.info({ text: 'x'.repeat(400) }, String(n))
setTimeout(() => process.send('still turning'), 200)`,
    ['prlimit', `--fsize=${LIMIT_BYTES}`]
  )
  t.teardown(() => child.kill('SIGKILL'))
  t.equal(await once(child, 'message').then(([message]) => message), 'still turning')
  child.kill('SIGTERM')
  t.equal(await endOf(child), 3)

  const written = readFileSync(path, 'utf8')
  t.equal(written.length, LIMIT_BYTES)
  t.same(messagesIn(written.slice(0, written.lastIndexOf('\n') + 1)).slice(0, 3), ['0', '1', '2'])
})

t.test('a file takes every line, in order', async t => {
  const path = join(t.testdir({}), 'log')
  const child = start(openSync(path, 'w'), "for (let n = 0; n < 500; n++) log.info(String(n))\nprocess.send('said')")
  await once(child, 'message')
  child.kill('SIGTERM')
  await endOf(child)

  t.same(messagesIn(readFileSync(path, 'utf8')), [...Array.from({ length: 500 }, (_, n) => String(n)), 'stopped'])
})

t.test('processes that share a pipe do not write into the lines of each other', async t => {
  const pipe = createStalledReader(t)
  const program = `for (let n = 0; n < 400; n++) log.info({ text: 'x'.repeat((n * 97) % 3900) }, 'request')`
  const children = [start(pipe.writer, program), start(pipe.writer, program)]
  t.teardown(() => children.map(child => child.kill('SIGKILL')))

  const lines = await readUntil(pipe, lines => lines.length === 800)
  t.equal(lines.filter(({ msg }) => msg === 'request').length, 800)
})
