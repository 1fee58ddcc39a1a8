import { BlockList, isIP } from 'node:net'
import { asciiLowerCase } from '../../lib/ascii.ts'
import { parseUrl } from '../../lib/node20/parse-url.ts'
import { isLoopback } from '../../lib/service/secure-url.ts'
import type { EnvReader } from '../env-reader.ts'

export interface ProxyConfig {
  /** Where calls go through, without credentials. */
  readonly shown: readonly string[]
  /** Through which proxy a call goes; undefined for one that goes straight to its server. */
  readonly proxyFor: (target: { readonly protocol: string; readonly host: string }) => URL | undefined
}

const NOTHING = /^$/

/** The proxies of the platform, as curl and Node read them; undefined where there is none. */
export function loadProxyConfig(reader: EnvReader): ProxyConfig | undefined {
  const proxies = new Map([
    ['https:', proxy(reader, 'HTTPS_PROXY')],
    ['http:', proxy(reader, 'HTTP_PROXY')]
  ])
  const isExempt = exemptions(either(reader, 'NO_PROXY') ?? '')
  const used = [...proxies.values()].filter(url => url !== undefined)
  if (used.length === 0) return undefined
  return {
    shown: [...new Set(used.map(({ origin }) => origin))],
    proxyFor: ({ protocol, host }) => (isExempt(host) ? undefined : proxies.get(protocol))
  }
}

/** The name in small letters goes first, as with curl. */
function either(reader: EnvReader, name: string): string | undefined {
  const anything = /^[\s\S]*$/
  return reader.text(asciiLowerCase(name), anything, '') ?? reader.text(name, anything, '')
}

function proxy(reader: EnvReader, name: string): URL | undefined {
  const text = either(reader, name)
  if (text === undefined || NOTHING.test(text)) return undefined
  const url = parseUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  return reader.refuse(`${name} must be the address of a proxy, such as http://proxy:3128.`)
}

/** Names, with what is below them; addresses and CIDR blocks; each with a port if it likes; `*` for everything. */
function exemptions(text: string): (host: string) => boolean {
  const rules = asciiLowerCase(text)
    .split(/[\s,]+/)
    .filter(rule => rule !== '')
  const blocks = new BlockList()
  for (const rule of rules) addBlock(blocks, rule)
  return host => {
    const [, name = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(asciiLowerCase(host)) ?? []
    if (isLoopback(name) || name.endsWith('.localhost')) return true
    const family = isIP(name)
    if (family !== 0 && blocks.check(name, family === 4 ? 'ipv4' : 'ipv6')) return true
    return rules.some(rule => isNamed(rule, name, port))
  }
}

function addBlock(blocks: BlockList, rule: string): void {
  const [address = '', bits = ''] = rule.split('/')
  const family = isIP(address)
  if (family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)) {
    blocks.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6')
  }
}

function isNamed(rule: string, name: string, port: string): boolean {
  if (rule === '*') return true
  const [, wanted = rule, onPort] = isIP(rule) === 6 ? [] : (/^(.*?)(?::(\d+))?$/.exec(rule) ?? [])
  const domain = wanted.replace(/^\*?\./, '').replace(/^\[|\]$/g, '')
  return (onPort === undefined || onPort === port) && (name === domain || name.endsWith(`.${domain}`))
}
