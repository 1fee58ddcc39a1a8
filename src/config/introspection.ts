import { Secret } from '../lib/secret.ts'
import type { EnvReader } from './env-reader.ts'

/** A client id or secret of OAuth (RFC 6749 §A.1, §A.2). */
const VISIBLE = /^(?=.*\S)[\x20-\x7e]{1,512}$/
/** Of a bearer token (RFC 6750 §2.1): no comma. */
const TOKEN = /^[\x21-\x2b\x2d-\x7e]{1,4096}$/
const OF_KEYS = [
  'AUTH_JWT_JWKS_URL',
  'AUTH_JWT_KEY_FILE',
  'AUTH_JWT_SECRET',
  'AUTH_JWT_SECRET_FILE',
  'AUTH_JWT_ALGORITHMS',
  'AUTH_JWT_TYP'
]
const BESIDE_URL = ['CLIENT_ID', 'CLIENT_SECRET', 'CLIENT_SECRET_FILE', 'TOKEN', 'TOKEN_FILE', 'TOKENS']

/** As whom the issuer is asked: a client with a secret, or whoever a token names. */
export type IntrospectionClient =
  | { readonly clientId: string; readonly clientSecret: Secret }
  | { readonly token: Secret }

export type IntrospectionConfig =
  | { readonly url: string; readonly client: IntrospectionClient; readonly tokens: 'opaque' | 'all' }
  | undefined

/** Whom to ask about a token that says nothing by itself; undefined when nobody is asked. */
export function loadIntrospectionConfig(reader: EnvReader, httpHosts: ReadonlySet<string>): IntrospectionConfig {
  const client = clientOf(reader)
  const tokens = reader.choice('AUTH_INTROSPECTION_TOKENS', 'opaque', ['opaque', 'all'])
  const url = reader.secureUrl('AUTH_INTROSPECTION_URL', httpHosts)
  if (!reader.has('AUTH_INTROSPECTION_URL')) {
    refuseLeftOvers(reader)
    return undefined
  }
  refuseMissing(reader)
  const useless = tokens === 'all' ? OF_KEYS.filter(name => reader.has(name)) : []
  for (const name of useless) {
    reader.refuse(
      `AUTH_INTROSPECTION_TOKENS=all asks the issuer about every token and reads no key: leave ${name} out.`
    )
  }
  return url && client && { url: url.href, client, tokens }
}

function clientOf(reader: EnvReader): IntrospectionClient | undefined {
  const clientId = reader.one('AUTH_INTROSPECTION_CLIENT_ID', VISIBLE, 'the id of a client')
  const clientSecret = secretOf(reader, 'AUTH_INTROSPECTION_CLIENT_SECRET', VISIBLE)
  const token = secretOf(reader, 'AUTH_INTROSPECTION_TOKEN', TOKEN)
  if (token) return { token }
  return clientId !== undefined && clientSecret ? { clientId, clientSecret } : undefined
}

function secretOf(reader: EnvReader, name: string, pattern: RegExp): Secret | undefined {
  const found = reader.secretText(name)
  if (!found || pattern.test(found.text)) return found && new Secret(found.text)
  if (pattern === TOKEN && found.text.includes(',')) {
    return reader.refuse(`${name} takes one value, and this looks like a list.`)
  }
  return reader.refuse(`${name} must be one line of visible ASCII characters.`)
}

function refuseLeftOvers(reader: EnvReader): void {
  for (const name of BESIDE_URL.map(end => `AUTH_INTROSPECTION_${end}`)) {
    if (reader.has(name)) reader.refuse(`${name} needs AUTH_INTROSPECTION_URL: nobody would be asked.`)
  }
}

function refuseMissing(reader: EnvReader): void {
  const hasSecret = (name: string): boolean => ['', '_FILE'].some(end => reader.has(`AUTH_INTROSPECTION_${name}${end}`))
  const hasId = reader.has('AUTH_INTROSPECTION_CLIENT_ID')
  if (hasSecret('TOKEN') && (hasId || hasSecret('CLIENT_SECRET'))) {
    reader.refuse('AUTH_INTROSPECTION_TOKEN and AUTH_INTROSPECTION_CLIENT_ID exclude each other: the issuer knows one.')
  } else if (!hasSecret('TOKEN') && !(hasId && hasSecret('CLIENT_SECRET'))) {
    reader.refuse(
      'AUTH_INTROSPECTION_URL needs AUTH_INTROSPECTION_CLIENT_ID and AUTH_INTROSPECTION_CLIENT_SECRET, or ' +
        'AUTH_INTROSPECTION_TOKEN: an issuer answers only clients it knows.'
    )
  }
}
