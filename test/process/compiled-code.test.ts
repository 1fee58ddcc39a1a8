import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { makePrivate } from '../../src/process/compiled-code.js'

const modeOf = (directory: string) => statSync(directory).mode & 0o777

t.test('a directory that is missing is made, for this user alone', async t => {
  const directory = join(t.testdir(), 'cache', 'service')
  const umask = process.umask(0)
  t.teardown(() => void process.umask(umask))

  t.ok(makePrivate(directory))
  t.equal(modeOf(directory), 0o700)
})

t.test('one that this user has made before is taken as it is', async t => {
  const directory = join(t.testdir(), 'service')
  mkdirSync(directory, { mode: 0o755 })

  t.ok(makePrivate(directory))
  t.equal(modeOf(directory), 0o755)
})

for (const mode of [0o777, 0o775, 0o757]) {
  t.test(`one that others may write to (${mode.toString(8)}) is not used`, async t => {
    const directory = t.testdir()
    chmodSync(directory, mode)

    t.notOk(makePrivate(directory))
  })
}

t.test('one of another user is not used', async t => {
  const directory = t.testdir()
  const getuid = process.getuid
  t.teardown(() => void Object.assign(process, { getuid }))
  Object.assign(process, { getuid: () => statSync(directory).uid + 1 })

  t.notOk(makePrivate(directory))
})

t.test('where none can be made, there is none', async t => {
  const file = join(t.testdir({ file: '' }), 'file')

  t.notOk(makePrivate(join(file, 'service')))
})

t.test('once the code is kept, what npm start starts does not load what removes types', async t => {
  const root = new URL('../../', import.meta.url).pathname
  const { start } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts
  const [, command] = start.split(/ node (.*)/)
  const told = `process.on('exit', () => console.error(process.moduleLoadList.filter(name => name.includes('amaro')).length))`
  const startOnce = async (): Promise<string> => {
    const args = [`--import=data:text/javascript,${encodeURIComponent(told)}`, ...command.split(' '), '--help']
    const { stderr } = await promisify(execFile)(process.execPath, args, { cwd: root, env: {} })
    return stderr.trim()
  }

  await startOnce()
  t.equal(await startOnce(), '0')
})
