// compose.yaml and what it starts: its files are there, speak of the same ports, and start the same with deploy/try.sh.
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load-config.ts'

const ROOT = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')

interface Container {
  readonly image: string
  readonly env_file?: readonly string[]
  readonly volumes?: readonly string[]
  readonly network_mode?: string
  readonly ports?: readonly string[]
  readonly [setting: string]: unknown
}

const services = parse(read('compose.yaml'), { merge: true }).services as Readonly<Record<string, Container>>
const instances = ['one', 'two'].map(name => services[`service-${name}`] as Container)

t.test(
  'it is two instances of the image, a Redis, haproxy, a local CometChat and Prometheus, on one loopback',
  async t => {
    t.strictSame(Object.keys(services), ['cometchat', 'redis', 'service-one', 'service-two', 'haproxy', 'prometheus'])
    for (const [name, { network_mode }] of Object.entries(services))
      t.equal(network_mode, name === 'cometchat' ? undefined : 'service:cometchat', name)
    for (const port of services['cometchat']?.ports ?? [])
      t.match(port, /^127\.0\.0\.1:(\d+):\1$/, 'nobody else reaches it')
  }
)

t.test('the image runs as restricted as it can be run', async t => {
  for (const instance of instances) {
    t.match(instance, {
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      ulimits: { core: 0 },
      tmpfs: ['/tmp']
    })
  }
})

t.test('every file that it mounts or reads is there', async t => {
  const files = Object.values(services).flatMap(({ env_file = [], volumes = [] }) => [
    ...env_file,
    ...volumes.map(volume => volume.split(':')[0] ?? '').filter(path => path.startsWith('./'))
  ])

  t.ok(files.length >= 8)
  for (const file of files) t.ok(existsSync(new URL(file, ROOT)), file)
})

t.test('its settings are valid, of plain words, and warned of for their secrets alone', async t => {
  const ports = []
  for (const { env_file = [] } of instances) {
    const settings = Object.assign({}, ...env_file.map(file => parseEnv(read(file)))) as Record<string, string>
    for (const [name, value] of Object.entries(settings)) t.match(value, /^[\w.:/,-]+$/, `${name} needs no quotes`)
    const {
      warnings,
      public: callers,
      admin
    } = loadConfig(settings, () => {
      throw new Error('nothing is read from a file')
    })
    ports.push([callers.port, admin.port])
    for (const warning of warnings) t.match(warning, /stands in the documents of this project/)
  }
  const haproxy = Array.from(
    read('deploy/haproxy/haproxy.cfg').matchAll(/^ +server \w+ [\d.]+:(\d+) check port (\d+)$/gm)
  )
  const [job] = parse(read('deploy/prometheus/prometheus.yml')).scrape_configs

  t.strictSame(
    haproxy.map(([, port, adminPort]) => [Number(port), Number(adminPort)]),
    ports
  )
  t.strictSame(
    job.static_configs[0].targets,
    ports.map(([, adminPort]) => `127.0.0.1:${adminPort}`)
  )
  t.strictSame(
    Array.from(read('deploy/nginx/nginx.conf').matchAll(/^ +server [\d.]+:(\d+) max_fails=0;$/gm), ([, port]) =>
      Number(port)
    ),
    ports.map(([port]) => port)
  )
})

const NEEDED = ['redis-server', 'haproxy', 'prometheus', 'curl', 'openssl', 'ip', 'unshare']

t.test(
  'deploy/try.sh starts all of it without an engine, and a first reply goes through',
  onLinuxWith(NEEDED),
  async t => {
    // A network of its own: the ports of the files are fixed, and may be taken on this machine.
    const { code, output } = await run(t, [
      '--map-root-user',
      '--net',
      'sh',
      '-c',
      'ip link set lo up; deploy/try.sh --once'
    ])

    t.equal(code, 0, output)
    const [, seconds = 'never'] = /^Ready after (\d+) s/m.exec(output) ?? []
    t.ok(Number(seconds) < 90, `ready after ${seconds} s`)
    t.match(output, '"text":"The first reply."')
  }
)

t.test('deploy/try.sh says which port is taken, and starts nothing', onLinuxWith(NEEDED), async t => {
  const taken =
    'node -e \'require("node:net").createServer().listen(6379, "127.0.0.1")\' & trap "kill $!" EXIT; sleep 0.1'
  const wait = 'until (exec 3<>/dev/tcp/127.0.0.1/6379) 2>/dev/null; do sleep 0.05; done'
  const script = `ip link set lo up; ${taken}; ${wait}; deploy/try.sh --once`
  const { code, output } = await run(t, ['--map-root-user', '--net', 'bash', '-c', script])

  t.equal(code, 1)
  t.match(output, 'Port 6379 is taken')
})

async function run(
  t: Test,
  args: readonly string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise(resolve => {
    const child = execFile('unshare', args, { cwd: fileURLToPath(ROOT) }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, output: stdout + stderr })
    })
    t.teardown(() => child.kill('SIGTERM'))
  })
}

function onLinuxWith(commands: readonly string[]): { skip?: string } {
  const missing = commands.find(command => spawnSync('which', [command]).status !== 0)
  return missing === undefined || process.env['CI'] ? {} : { skip: `${missing} is not installed` }
}
