import { Secret } from '../lib/secret.ts'
import type { EnvReader } from './env-reader.ts'

/** A client id or secret of OAuth (RFC 6749 §A.1, §A.2). */
const VISIBLE = /^[\x20-\x7e]{1,512}$/
const OF_KEYS = ['AUTH_JWT_JWKS_URL', 'AUTH_JWT_SECRET', 'AUTH_JWT_SECRET_FILE', 'AUTH_JWT_ALGORITHMS', 'AUTH_JWT_TYP']

export type IntrospectionConfig = ReturnType<typeof loadIntrospectionConfig>

/** Whom to ask about a token that says nothing by itself; undefined when nobody is asked. */
export function loadIntrospectionConfig(reader: EnvReader) {
  const clientId = reader.text('AUTH_INTROSPECTION_CLIENT_ID', VISIBLE, 'the id of a client')
  const clientSecret = secretOf(reader)
  const tokens = reader.choice('AUTH_INTROSPECTION_TOKENS', 'opaque', ['opaque', 'all'])
  const url = reader.secureUrl('AUTH_INTROSPECTION_URL')
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
  if (!url || clientId === undefined || !clientSecret) return undefined
  return { url: url.href, clientId, clientSecret, tokens }
}

function secretOf(reader: EnvReader): Secret | undefined {
  const found = reader.secretText('AUTH_INTROSPECTION_CLIENT_SECRET')
  if (!found || VISIBLE.test(found.text)) return found && new Secret(found.text)
  return reader.refuse('AUTH_INTROSPECTION_CLIENT_SECRET must be one line of visible ASCII characters.')
}

function refuseLeftOvers(reader: EnvReader): void {
  for (const name of ['CLIENT_ID', 'CLIENT_SECRET', 'CLIENT_SECRET_FILE', 'TOKENS'].map(
    end => `AUTH_INTROSPECTION_${end}`
  )) {
    if (reader.has(name)) reader.refuse(`${name} needs AUTH_INTROSPECTION_URL: nobody would be asked.`)
  }
}

function refuseMissing(reader: EnvReader): void {
  const hasSecret = ['', '_FILE'].some(end => reader.has(`AUTH_INTROSPECTION_CLIENT_SECRET${end}`))
  if (!reader.has('AUTH_INTROSPECTION_CLIENT_ID') || !hasSecret) {
    reader.refuse(
      'AUTH_INTROSPECTION_URL needs AUTH_INTROSPECTION_CLIENT_ID and AUTH_INTROSPECTION_CLIENT_SECRET: an issuer answers only clients it knows.'
    )
  }
  if (!reader.has('AUTH_JWT_ISSUER') || !reader.has('AUTH_JWT_AUDIENCE')) {
    reader.refuse(
      'AUTH_INTROSPECTION_URL needs AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE: they say whose the users are and for whom the tokens.'
    )
  }
}
