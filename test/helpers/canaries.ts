// Every service that a test starts holds secrets that are in no other: whatever it writes is searched for them, and one that is
// found fails the test. The service's own tripwire is not trusted for that; that it had to act is a failure, too.
import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { existsSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import { formsOf } from './leaks.ts'
import { type FileText, readLiveFolder } from './live-folder.ts'

type Env = Readonly<Record<string, string | undefined>>

const SECRETS = [
  'COMETCHAT_API_KEY',
  'STORE_SECRET',
  'AUTH_JWT_SECRET',
  'AUTH_SESSION_SECRET',
  'AUTH_LOGIN_CLIENT_SECRET',
  'AUTH_INTROSPECTION_CLIENT_SECRET',
  'AUTH_INTROSPECTION_TOKEN',
  'UID_TABLE_TOKEN',
  'AUDIT_SECRET'
]
/** Shorter ones, which some tests have, are in innocent texts, too. */
const MIN_CHARACTERS = 16

/** A secret that is in nothing else. */
export function canary(): string {
  return randomBytes(20).toString('hex')
}

/** The environment with a secret of its own where the test has none: a store that keeps nothing takes any. */
export function withCanaries<E extends Env>(env: E): E {
  const hasOwn = ['STORE_SECRET', 'STORE_SECRET_FILE', 'DATA_DIR'].some(name => env[name] !== undefined)
  return env['STORE_URL'] === 'memory:' && !hasOwn ? { ...env, STORE_SECRET: `store-canary-${canary()}` } : env
}

/** What one service writes, searched as it comes. */
export class CanaryWatch {
  readonly #env: Env
  readonly #needles = new Map<string, string>()
  readonly #found = new Set<string>()
  readonly #ports = new Set<number>()
  #longest = 0
  #searched = 0

  constructor(env: Env) {
    this.#env = env
    this.#readSecrets()
    subscribe('net.client.socket', this.#onSocket)
  }

  /** Characters that were searched so far. */
  get searched(): number {
    return this.#searched
  }

  /** Its answers come from here. */
  listensAt(urls: readonly string[]): void {
    for (const url of urls) if (URL.canParse(url)) this.#ports.add(Number(new URL(url).port))
  }

  /** Takes one stream piece by piece: a secret may begin in one and end in the next. */
  stream(where: string): (piece: Buffer) => void {
    let end = ''
    return piece => {
      const text = end + piece.toString('latin1')
      this.#search(where, text)
      end = text.slice(1 - this.#longest)
    }
  }

  /** Where which secret was found, in which form; empty when nothing leaked. The service must have ended. */
  end(logLines: readonly Readonly<Record<string, unknown>>[]): string[] {
    unsubscribe('net.client.socket', this.#onSocket)
    // A file of keys may have been changed meanwhile.
    this.#readSecrets()
    for (const { name, text } of this.#files()) this.#search(name, text)
    const stopped = logLines.filter(({ alarm }) => alarm === 'secret-leak')
    return [...this.#found, ...stopped.map(({ variable, exit }) => `${variable}, cut out of ${exit}`)]
  }

  readonly #onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket }
    const take = this.stream('an answer')
    const push = socket.push.bind(socket)
    // What a listener for data would do, but for its consequences: those make a stream flow.
    socket.push = (piece: unknown, encoding?: BufferEncoding) => {
      if (Buffer.isBuffer(piece) && this.#ports.has(socket.remotePort ?? 0)) take(piece)
      return push(piece, encoding)
    }
  }

  #search(where: string, text: string): void {
    this.#searched += text.length
    for (const [needle, name] of this.#needles) if (text.includes(needle)) this.#found.add(`${name}, in ${where}`)
  }

  #readSecrets(): void {
    for (const name of SECRETS) {
      const file = this.#env[`${name}_FILE`]
      const text = this.#env[name] ?? (file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : '')
      for (const secret of text.split(/[,\n]/).map(one => one.trim())) this.#lookFor(name, secret)
    }
  }

  #lookFor(name: string, secret: string): void {
    if (secret.length < MIN_CHARACTERS) return
    const { reversed: _, ...forms } = formsOf(secret)
    for (const [form, needle] of Object.entries(forms)) {
      if (!this.#needles.has(needle)) this.#needles.set(needle, `${name}, ${form}`)
      this.#longest = Math.max(this.#longest, needle.length)
    }
  }

  /** What it leaves on the disk: the audit file and those before it, and records in a file. */
  #files(): FileText[] {
    const records = /^file:(.+)$/.exec(this.#env['STORE_URL'] ?? '')?.[1]
    return [this.#env['AUDIT_FILE'], records].flatMap(path =>
      path !== undefined && existsSync(dirname(path)) ? readLiveFolder(dirname(path), basename(path)) : []
    )
  }
}
