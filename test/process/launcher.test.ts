// bin/thread-reply-bff: which settings a process is started with, and whose compiled code it runs.
import { execFile } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const TELLING = `const { execArgv, argv, env, pid } = process
console.log(JSON.stringify({ execArgv, args: argv.slice(2), arenas: env.MALLOC_ARENA_MAX, compiled: env.NODE_COMPILE_CACHE, pid }))`

/** The launcher in an installation of its own, with a service that only tells how it was started. */
function install(t: Test): string {
  const root = t.testdir({
    bin: {},
    src: { 'server.ts': TELLING },
    node_modules: {},
    'package.json': '{"type":"module"}'
  })
  cpSync(join(ROOT, 'bin'), join(root, 'bin'), { recursive: true })
  return root
}

async function start(root: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const started = promisify(execFile)(join(root, 'bin/thread-reply-bff'), args, {
    cwd: '/',
    env: { PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, ...env }
  })
  const { stdout } = await started
  return { ...JSON.parse(stdout), childPid: started.child.pid }
}

const cacheOf = (root: string) => join(root, 'node_modules/.cache/thread-reply-bff')

t.test('the service takes the place of the launcher: its process, its arguments, its settings', async t => {
  const { pid, childPid, args, execArgv, arenas } = await start(install(t), ['--check-config', 'a b'])

  t.equal(pid, childPid)
  t.strictSame(args, ['--check-config', 'a b'])
  t.strictSame(execArgv, ['--disable-sigusr1'])
  t.equal(arenas, undefined)
})

t.test('what an operator sets for Node stays', async t => {
  const told = await start(install(t), [], { MALLOC_ARENA_MAX: '4', NODE_COMPILE_CACHE: '/tmp/elsewhere' })

  t.match(told, { arenas: '4', compiled: '/tmp/elsewhere' })
})

t.test('compiled code is kept in the installation, for this user alone', async t => {
  const root = install(t)
  const umask = process.umask(0)
  t.teardown(() => void process.umask(umask))

  t.equal((await start(root)).compiled, cacheOf(root))
  t.equal(statSync(cacheOf(root)).mode & 0o777, 0o700)
  t.equal((await start(root)).compiled, cacheOf(root), 'and taken from there the next time')
})

t.test('a directory that others may read, and not write to, is used', async t => {
  const root = install(t)
  mkdirSync(cacheOf(root), { recursive: true, mode: 0o755 })

  t.equal((await start(root)).compiled, cacheOf(root))
})

for (const mode of [0o777, 0o775, 0o757]) {
  t.test(`a directory that others may write to (${mode.toString(8)}) is not used`, async t => {
    const root = install(t)
    mkdirSync(cacheOf(root), { recursive: true })
    chmodSync(cacheOf(root), mode)

    t.equal((await start(root)).compiled, undefined)
  })
}

t.test(
  'a directory of another user is not used',
  { skip: process.getuid?.() !== 0 && 'only root gives files away' },
  async t => {
    const root = install(t)
    mkdirSync(cacheOf(root), { recursive: true, mode: 0o700 })
    await promisify(execFile)('chown', ['65534', cacheOf(root)])

    t.equal((await start(root)).compiled, undefined)
  }
)

t.test('where no directory can be made the service starts without one', async t => {
  const root = install(t)
  cpSync(join(root, 'package.json'), join(root, 'node_modules/.cache'))

  t.equal((await start(root)).compiled, undefined)
})

t.test('once the code is kept, a start does not load what removes types', async t => {
  const count = `process.on('exit', () => console.error(process.moduleLoadList.filter(name => name.includes('amaro')).length))`
  const startOnce = async (): Promise<string> => {
    const env = {
      PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(count)}`
    }
    const { stderr } = await promisify(execFile)(join(ROOT, 'bin/thread-reply-bff'), ['--help'], { env })
    return stderr.trim()
  }

  await startOnce()
  t.equal(await startOnce(), '0')
})
