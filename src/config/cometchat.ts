import { Secret } from '../lib/secret.ts'
import type { EnvReader } from './env-reader.ts'

/** Documented for replies. */
const USUAL_CATEGORIES = ['message', 'custom']
const CATEGORIES = [...USUAL_CATEGORIES, 'interactive', 'card']
const VISIBLE_ASCII = /^[\x21-\x7e]{1,512}$/

/** Where CometChat is, and the keys it is called with. */
export function loadCometchatConfig(reader: EnvReader) {
  const found = reader.secretText('COMETCHAT_API_KEY')
  if (!found && !reader.problems.some(problem => problem.includes('COMETCHAT_API_KEY'))) {
    reader.refuse('COMETCHAT_API_KEY or COMETCHAT_API_KEY_FILE must be set.')
  }
  const keys = found ? parseApiKeys(found.text) : []
  if (!keys) reader.refuse('COMETCHAT_API_KEY must hold one or two different keys of visible ASCII characters.')
  const app = {
    id: reader.text('COMETCHAT_APP_ID', /^[A-Za-z0-9]{1,40}$/, 'the letters and digits of an app id'),
    region: reader.text('COMETCHAT_REGION', /^(us|eu|in)$/, 'one of: us, eu, in')
  }
  return {
    origin: cometchatOrigin(reader, app),
    apiKeys: keys ?? [],
    apiKeyFile: found?.file,
    categories: categories(reader),
    sdk: sdk(reader, app)
  }
}

interface App {
  readonly id: string | undefined
  readonly region: string | undefined
}

/** What an SDK is told beside its token; undefined where it gets none. */
function sdk(reader: EnvReader, { id, region }: App): { readonly appId: string; readonly region: string } | undefined {
  if (reader.choice('COMETCHAT_TOKENS', 'off', ['on', 'off']) === 'off') return undefined
  if (id !== undefined && region !== undefined) return { appId: id, region }
  const missing = ['COMETCHAT_APP_ID', 'COMETCHAT_REGION'].filter(name => !reader.has(name))
  // What is there and wrong was refused already, and without them an origin is missing, too.
  if (missing.length > 0 && reader.has('COMETCHAT_BASE_URL')) {
    reader.refuse(`COMETCHAT_TOKENS=on needs ${missing.join(' and ')}: an SDK is told both.`)
  }
  return undefined
}

/** The categories that a reply may have. */
function categories(reader: EnvReader): readonly string[] {
  if (!reader.has('COMETCHAT_CATEGORIES')) return USUAL_CATEGORIES
  const names = reader.list('COMETCHAT_CATEGORIES')
  if (names.length === 0 || !names.every(name => CATEGORIES.includes(name))) {
    reader.refuse(`COMETCHAT_CATEGORIES must list some of: ${CATEGORIES.join(', ')}.`)
  }
  return names
}

/** One or two keys, separated by a comma or a line break; undefined when they are not that. */
export function parseApiKeys(text: string): Secret[] | undefined {
  const keys = text
    .split(/[,\r\n]+/)
    .map(key => key.trim())
    .filter(key => key !== '')
  const usable = keys.every(key => VISIBLE_ASCII.test(key)) && new Set(keys).size === keys.length
  return usable && (keys.length === 1 || keys.length === 2) ? keys.map(key => new Secret(key)) : undefined
}

function cometchatOrigin(reader: EnvReader, { id, region }: App): string {
  const base = reader.secureUrl('COMETCHAT_BASE_URL')
  if (base) {
    if (base.search !== '' || !/^\/(v3\/?)?$/.test(base.pathname)) {
      reader.refuse('COMETCHAT_BASE_URL must be an origin, such as https://chat.example.com.')
    }
    return base.origin
  }
  if (reader.has('COMETCHAT_BASE_URL')) return ''
  if (!reader.has('COMETCHAT_APP_ID')) reader.refuse('COMETCHAT_APP_ID must be set (or COMETCHAT_BASE_URL).')
  if (!reader.has('COMETCHAT_REGION')) reader.refuse('COMETCHAT_REGION must be set (or COMETCHAT_BASE_URL).')
  return `https://${id}.api-${region}.cometchat.io`
}
