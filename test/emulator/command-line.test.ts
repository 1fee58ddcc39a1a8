import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import t from 'tap'

const MAIN = new URL('../../emulator/main.ts', import.meta.url).pathname

interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(...args: string[]): Promise<Finished> {
  return new Promise(resolve => {
    const child = execFile(process.execPath, [MAIN, ...args], (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr })
    })
  })
}

async function start(t: { teardown(stop: () => void): void }, ...args: string[]) {
  const child = spawn(process.execPath, [MAIN, '--port', '0', ...args])
  t.teardown(() => void child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  await once(child.stdout, 'data')
  const url = /listens on (http:\S+)/.exec(stdout)?.[1] ?? ''
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    const [code] = await once(child, 'exit')
    return { code, stderr }
  }
  return { stdout, url, end }
}

t.test('--help shows every flag and starts nothing', async t => {
  const { code, stdout, stderr } = await run('--help')

  t.equal(code, 0)
  t.equal(stderr, '')
  for (const flag of ['--port', '--host', '--key', '--seed', '--settle-ms', '--switch']) t.match(stdout, flag)
})

for (const [args, sentence] of [
  [['--prot', '1'], /^Unknown option '--prot'\. See --help\.\n$/],
  [['extra'], /^Unexpected argument 'extra'\. See --help\.\n$/],
  [['--port', 'x'], /^--port takes a whole number from 0 to 65535, not "x"\. See --help\.\n$/],
  [['--port', '65536'], /^--port takes/],
  [['--port'], /^Option '--port <value>' argument missing\. See --help\.\n$/],
  [['--settle-ms=-1'], /^--settle-ms takes a whole number, not "-1"/],
  [['--switch', 'moderation'], /^--switch takes name=value/],
  [['--switch', 'moderation=on'], /the switch "moderation" takes off, pending\. See --help\.\n$/]
] as const) {
  t.test(`${args.join(' ')} is refused with one sentence and status 2`, async t => {
    const { code, stdout, stderr } = await run(...args)

    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(stderr, sentence)
    t.equal(stderr.trimEnd().split('\n').length, 1)
  })
}

t.test('a port that is taken is told with the flag that changes it', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => void taken.close())
  const { port } = taken.address() as { port: number }

  const { code, stderr } = await run('--port', String(port))

  t.equal(code, 1)
  t.equal(stderr, `Port ${port} is taken: choose another one with --port, or --port 0 for a free one.\n`)
})

t.test('the curl that is printed works when pasted', async t => {
  const { stdout } = await start(t, '--key', 'my-key')
  const command = /curl [^#]*?-d '\{.*\}'/s.exec(stdout)?.[0] ?? ''

  const { stdout: answer } = await promisify(execFile)('sh', ['-c', command])

  t.match(command, 'apikey: my-key')
  t.match(JSON.parse(answer), { data: { sender: 'alice', receiver: 'bob', parentId: '100' } })
})

t.test('another process spoils the next request and reads the ledger', async t => {
  const { url } = await start(t, '--key', 'k')
  await fetch(`${url}/_emulator/faults`, { method: 'POST', body: '"commit-then-500"' })

  const response = await fetch(`${url}/v3/messages/200/thread`, {
    method: 'POST',
    headers: { apikey: 'k', onBehalfOf: 'carol', 'content-type': 'application/json' },
    body: JSON.stringify({ receiver: 'team', receiverType: 'group', data: { text: 'Hi' } })
  })

  t.equal(response.status, 500)
  const ledger = (await (await fetch(`${url}/_emulator/ledger`)).json()) as unknown
  t.match(ledger, [{ id: '1000', parentId: '200', onBehalfOf: 'carol' }])
})

t.test('a switch is set by a flag', async t => {
  const { url } = await start(t, '--key', 'k', '--switch', 'statuses={"AUTH_ERR_EMPTY_APIKEY":418}')

  t.equal((await fetch(`${url}/v3/users/alice`)).status, 418)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} ends it quietly with status 0, even with a request that hangs`, async t => {
    const { url, end } = await start(t)
    await fetch(`${url}/_emulator/faults`, { method: 'POST', body: '"stall"' })
    const hanging = fetch(`${url}/v3/users/alice`).catch(() => 'cut')
    while (!(await (await fetch(`${url}/_emulator/requests`)).text()).includes('stall')) await setImmediate()

    t.strictSame(await end(signal), { code: 0, stderr: '' })
    t.equal(await hanging, 'cut')
  })
}
