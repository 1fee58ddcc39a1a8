import { isIP } from 'node:net'
import { asciiLowerCase } from '../lib/ascii.ts'
import { Secret } from '../lib/secret.ts'
import { isSecureUrl, NO_HTTP_HOSTS } from '../lib/service/secure-url.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Every mistake of a configuration in one message; it names variables and never shows a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** Reads typed values out of an environment and remembers each mistake instead of throwing at the first. */
export class EnvReader {
  readonly problems: string[] = []
  readonly #env: Environment
  readonly #readFile: (path: string) => string

  constructor(env: Environment, readFile: (path: string) => string) {
    this.#env = env
    this.#readFile = readFile
  }

  refuse(problem: string): undefined {
    this.problems.push(problem)
    return undefined
  }

  has(name: string): boolean {
    return this.#env[name] !== undefined && this.#env[name] !== ''
  }

  /** Whether the value of a variable was refused: nothing that follows from its absence is complained about. */
  isRefused(name: string): boolean {
    return this.problems.some(problem => problem.startsWith(`${name} `))
  }

  text(name: string, pattern: RegExp, wanted: string): string | undefined {
    const value = this.#env[name]
    if (value === undefined || value === '') return undefined
    if (pattern.test(value)) return value
    return this.refuse(`${name} must be ${wanted}.`)
  }

  /** A text of which there is one; a list is refused as such, in place of being taken for one strange value. */
  one(name: string, pattern: RegExp, wanted: string, advice = ''): string | undefined {
    if (!this.#env[name]?.includes(',')) return this.text(name, pattern, wanted)
    return this.refuse(`${name} takes one value, and this looks like a list${advice === '' ? '' : `: ${advice}`}.`)
  }

  integer(name: string, fallback: number, [min, max]: readonly [number, number]): number {
    const value = this.#env[name]
    if (value === undefined || value === '') return fallback
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (number >= min && number <= max) return number
    this.refuse(`${name} must be a whole number from ${min} to ${max}.`)
    return fallback
  }

  choice<T extends string>(name: string, fallback: T, choices: readonly T[]): T {
    const value = this.#env[name]
    if (value === undefined || value === '') return fallback
    const choice = choices.find(candidate => candidate === asciiLowerCase(value))
    if (choice !== undefined) return choice
    this.refuse(`${name} must be one of: ${choices.join(', ')}.`)
    return fallback
  }

  /** Items with commas between them. A text of commas and blanks is no list, least of all the absence of one. */
  list(name: string): string[] {
    const value = this.#env[name] ?? ''
    const items = value
      .split(',')
      .map(item => item.trim())
      .filter(item => item !== '')
    if (items.length === 0 && value !== '') this.refuse(`${name} lists nothing: name something, or leave it out.`)
    return items
  }

  /** The variables whose files secrets were read from. */
  readonly secretFiles: string[] = []

  /** A secret from `NAME`, or from the file that `NAME_FILE` names; both set is a mistake. */
  secretText(name: string): { text: string; file?: string } | undefined {
    const file = this.#env[`${name}_FILE`]
    const value = this.#env[name]
    if (file !== undefined && value !== undefined) return this.refuse(`Set ${name} or ${name}_FILE, not both.`)
    if (file === undefined) return value === undefined ? undefined : this.#nonEmpty(name, value)
    this.secretFiles.push(`${name}_FILE`)
    try {
      const text = this.#nonEmpty(`${name}_FILE`, this.#readFile(file))
      return text && { ...text, file }
    } catch {
      return this.refuse(`${name}_FILE names a file that cannot be read.`)
    }
  }

  /** The text of a file; undefined when it cannot be read. */
  file(path: string): string | undefined {
    try {
      return this.#readFile(path)
    } catch {
      return undefined
    }
  }

  /** One secret of at least so many bytes. */
  secret(name: string, minBytes: number): Secret | undefined {
    const found = this.secretText(name)
    if (!found) return undefined
    if (Buffer.byteLength(found.text) >= minBytes) return new Secret(found.text)
    return this.refuse(`${name} must have at least ${minBytes} bytes: try 'openssl rand -base64 48'.`)
  }

  /** Several secrets of at least so many bytes, with commas or line breaks between them. */
  secrets(name: string, minBytes: number, max: number): { secrets: Secret[]; file?: string } | undefined {
    const found = this.secretText(name)
    if (!found) return undefined
    const texts = found.text
      .split(/[,\r\n]+/)
      .map(text => text.trim())
      .filter(text => text !== '')
    if (texts.length === 0 || texts.length > max) {
      return this.refuse(`${name} must hold 1 to ${max} secrets, separated by commas or line breaks.`)
    }
    if (texts.every(text => Buffer.byteLength(text) >= minBytes)) {
      return { ...found, secrets: texts.map(text => new Secret(text)) }
    }
    const each = texts.length === 1 ? '' : ' each; a comma separates two secrets'
    return this.refuse(`${name} must have at least ${minBytes} bytes${each}: try 'openssl rand -base64 48'.`)
  }

  /** An https URL, or an http one on loopback or to a listed host: what travels there must not be read on the way. */
  secureUrl(name: string, httpHosts: ReadonlySet<string> = NO_HTTP_HOSTS): URL | undefined {
    const value = this.#env[name]
    if (value === undefined || value === '' || this.refuseAddresses(name)) return undefined
    const fault = urlFault(value, httpHosts)
    return fault === undefined ? new URL(value) : this.refuse(`${name} ${fault}.`)
  }

  /** Whether a variable holds several addresses where one is taken, which is refused as such. */
  refuseAddresses(name: string): boolean {
    const isList = looksLikeAddresses(this.#env[name] ?? '')
    if (isList) this.refuse(`${name} takes one address, and this looks like a list.`)
    return isList
  }

  /** Throws one ConfigError with every mistake found so far, and with hints at what they may come from. */
  finish(hints: readonly string[] = []): void {
    if (this.problems.length > 0) throw new ConfigError([...this.problems, ...hints])
  }

  #nonEmpty(name: string, value: string): { text: string } | undefined {
    const text = value.replace(/\r?\n$/, '')
    return text.trim() === '' ? this.refuse(`${name} is empty.`) : { text }
  }
}

/** Addresses with a comma or a blank between them; a URL parser takes them for one with a strange path. */
export function looksLikeAddresses(text: string): boolean {
  return /[,;\s]\s*(https?|rediss?|file):/.test(text.trim())
}

/** What is wrong with an address that must not be read on the way; undefined for a good one. */
export function urlFault(text: string, httpHosts: ReadonlySet<string>): string | undefined {
  const url = URL.canParse(text) && !/\s/.test(text.trim()) ? new URL(text) : undefined
  if (!url || url.username || url.password || url.hash) return 'must be a plain URL'
  if (isSecureUrl(url, httpHosts)) return undefined
  const exception = url.protocol === 'http:' ? `; AUTH_HTTP_HOSTS names exceptions` : ''
  return `must be https (http is for loopback only${exception})`
}

/** True for an IP address or a CIDR block; numbers of hops and `true` are not addresses. */
export function isAddressOrCidr(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}
