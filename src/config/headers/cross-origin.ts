// Which pages of other origins may call: CORS_ORIGINS, and CORS_HEADERS.

import { createAddressTest } from '../../lib/network.ts'
import { parseUrl } from '../../lib/node20/parse-url.ts'
import { isLoopback } from '../../lib/service/secure-url.ts'
import type { EnvReader } from '../env-reader.ts'
import { isReserved } from './known-headers.ts'

export interface CorsConfig {
  /** As browsers write them. */
  readonly origins: ReadonlySet<string>
  /** In lower case. */
  readonly headers: readonly string[]
}

const MAX_SHOWN_LENGTH = 200
/** Schemes of app shells and extensions: `capacitor://localhost`, `tauri://localhost`, `chrome-extension://<id>`. */
const CUSTOM_ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+(?::\d{1,5})?$/
/** Schemes whose pages have the origin `null`, or that are no schemes of pages. */
const NO_SCHEME_OF_PAGES = /^(file|data|blob|about|javascript|ftp|wss?|filesystem|view-source):/i
const IN_A_LAN = createAddressTest([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  'fc00::/7',
  'fe80::/10'
])
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/
/** A page cannot set them (Fetch standard, forbidden request-header), whatever it is allowed. */
const BROWSERS_OWN = /^(cookie2?|origin|host|referer|connection|content-length|te|upgrade|via|sec-.*|proxy-.*)$/

/** Exact origins, as browsers write them: everything else would never match, or match too much. */
export function loadCorsConfig(reader: EnvReader): CorsConfig {
  const origins = reader.list('CORS_ORIGINS')
  for (const origin of origins) {
    const fault = originFault(origin)
    if (fault !== undefined) reader.refuse(`CORS_ORIGINS holds ${fault}.`)
  }
  const headers = reader.list('CORS_HEADERS').map(name => name.toLowerCase())
  for (const name of headers) {
    const fault = headerFault(name)
    if (fault !== undefined) reader.refuse(`CORS_HEADERS holds ${shown(name)}, ${fault}.`)
  }
  if (headers.length > 0 && origins.length === 0) {
    reader.refuse('CORS_HEADERS needs CORS_ORIGINS: without it no page of another origin may send any header.')
  }
  return { origins: new Set(origins), headers }
}

/** Those that anybody in the same network can pretend to be. */
export function openOrigins({ origins }: Pick<CorsConfig, 'origins'>): string[] {
  return [...origins].filter(origin => origin.startsWith('http:') && isInLan(new URL(origin).hostname))
}

/** The entry with what is wrong with it, for a sentence; undefined for a good one. Origins are no secrets, passwords are. */
function originFault(text: string): string | undefined {
  const url = parseUrl(text)
  if (url?.username || url?.password) return 'an entry with a user name or a password: an origin has neither'
  const fault = faultOf(text, url)
  return fault && `${shown(text)}, ${fault}`
}

function faultOf(text: string, url: URL | null): string | undefined {
  if (text === '*') return 'which would be every page there is: list each origin'
  if (text.includes('*')) return 'which is a pattern: list each origin, a star stands for nothing'
  if (text === 'null') return 'which is the origin of any sandboxed or local page: it names nobody'
  if (!text.includes('://')) return `which has no scheme: an origin is https://${text.replace(/^\/+/, '')}`
  if (NO_SCHEME_OF_PAGES.test(text)) return 'whose scheme no page has as its origin'
  if (!url) return 'which is no origin; a comma separates two'
  return url.protocol === 'http:' || url.protocol === 'https:' ? webFault(text, url) : customFault(text)
}

function webFault(text: string, url: URL): string | undefined {
  if (text !== url.origin) return `which browsers write as ${url.origin}`
  if (url.protocol === 'https:' || isOfThisMachine(url.hostname) || isInLan(url.hostname)) return undefined
  return 'which is http: only localhost, *.localhost and addresses of a LAN may be, or anybody on the way could be that page'
}

function customFault(text: string): string | undefined {
  if (CUSTOM_ORIGIN.test(text)) return undefined
  return 'which no app sends: a scheme and a host in small letters, without a path or a slash at the end'
}

function isOfThisMachine(hostname: string): boolean {
  return isLoopback(hostname) || hostname.endsWith('.localhost')
}

function isInLan(hostname: string): boolean {
  return hostname.endsWith('.local') || IN_A_LAN(hostname.replace(/^\[(.*)\]$/, '$1'))
}

function headerFault(name: string): string | undefined {
  if (name === '*') return 'which means nothing beside credentials: list each header'
  if (!HEADER_NAME.test(name)) return 'which is no name of a header'
  if (isReserved(name)) return 'which is refused here: only this service may set it'
  return BROWSERS_OWN.test(name) ? 'which browsers let no page set' : undefined
}

function shown(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text)
}
