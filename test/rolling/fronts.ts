// A balancer in front of two instances, with the configuration that deploy/ ships: only its ports are changed.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../helpers/free-port.ts'
import { until } from '../helpers/until.ts'

export const FRONTS = ['haproxy', 'nginx'] as const
export type FrontName = (typeof FRONTS)[number]

export interface Ports {
  readonly port: number
  readonly adminPort: number
}

export interface Front {
  readonly url: string
  stop(): Promise<void>
}

/** Where the files of deploy/ have the front, and the instances behind it with their probes. */
const WRITTEN = { front: 3000, one: { port: 3010, adminPort: 3011 }, two: { port: 3020, adminPort: 3021 } } as const
const FILES: Readonly<Record<FrontName, string>> = {
  haproxy: '../../deploy/haproxy/haproxy.cfg',
  nginx: '../../deploy/nginx/nginx.conf'
}

/** Why there is no such front; undefined where there is one. */
export function withoutFront(name: FrontName): string | undefined {
  const isMissing = spawnSync(name, ['-v']).error !== undefined
  return isMissing ? `${name} is not installed (apt-get install ${name})` : undefined
}

/** Starts it; resolves when it takes connections. */
export async function startFront(name: FrontName, one: Ports, two: Ports): Promise<Front> {
  const directory = mkdtempSync(join(tmpdir(), `${name}-`))
  const port = await freePort()
  const file = join(directory, 'front.conf')
  writeFileSync(file, withPorts(readFileSync(new URL(FILES[name], import.meta.url), 'utf8'), port, one, two))
  const child = launch(name, file, directory)
  const errors: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  await until(() => {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${errors.join('')}`)
    return isOpen(port)
  })
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      if (child.exitCode === null) {
        child.kill('SIGTERM')
        await once(child, 'close')
      }
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

function launch(name: FrontName, file: string, directory: string): ChildProcess {
  const args =
    name === 'haproxy' ? ['-f', file] : ['-c', file, '-p', directory, '-g', `daemon off; pid ${directory}/nginx.pid;`]
  return spawn(name, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, BIND: '127.0.0.1' } })
}

/** Throws where the file does not have one of the ports: then this would test another configuration. */
function withPorts(text: string, front: number, one: Ports, two: Ports): string {
  const changes = [
    [WRITTEN.front, front],
    [WRITTEN.one.port, one.port],
    [WRITTEN.two.port, two.port],
    [WRITTEN.one.adminPort, one.adminPort],
    [WRITTEN.two.adminPort, two.adminPort]
  ] as const
  return changes.reduce(
    (changed, [written, free]) => changed.replace(new RegExp(`\\b${written}\\b`, 'g'), `${free}`),
    text
  )
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
