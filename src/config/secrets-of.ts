import type { Secret } from '../lib/secret.ts'
import type { IntrospectionClient } from './introspection.ts'
import type { UidTableConfig } from './uid.ts'

/** As much of a configuration as holds secrets that are not of an issuer. */
export interface HoldsSecrets {
  readonly auth: {
    readonly introspection: { readonly client: IntrospectionClient } | undefined
    readonly login: { readonly clientSecret: Secret } | undefined
    readonly session: { readonly secrets: readonly Secret[] } | undefined
  }
  readonly uid: { readonly table: UidTableConfig | undefined }
  readonly cometchat: { readonly apiKeys: readonly Secret[] }
  readonly delivery: { readonly secret: Secret | undefined }
  readonly traces: { readonly headers: ReadonlyMap<string, Secret> } | undefined
  readonly audit: { readonly secrets: readonly Secret[] } | undefined
}

/** The secrets of a configuration, by the variable that each of them comes from. */
export function secretsOf({
  cometchat,
  auth,
  uid,
  delivery,
  traces,
  audit
}: HoldsSecrets): Map<string, readonly Secret[]> {
  const { introspection, login, session } = auth
  const client = introspection?.client
  const all: [variable: string, secrets: readonly (Secret | undefined)[]][] = [
    ['COMETCHAT_API_KEY', cometchat.apiKeys],
    ['AUTH_INTROSPECTION_CLIENT_SECRET', client && 'clientSecret' in client ? [client.clientSecret] : []],
    ['AUTH_INTROSPECTION_TOKEN', client && 'token' in client ? [client.token] : []],
    ['AUTH_LOGIN_CLIENT_SECRET', [login?.clientSecret]],
    ['AUTH_SESSION_SECRET', session?.secrets ?? []],
    ['UID_TABLE_TOKEN', [uid.table?.kind === 'url' ? uid.table.token : undefined]],
    ['STORE_SECRET', [delivery.secret]],
    ['OTEL_EXPORTER_OTLP_HEADERS', [...(traces?.headers.values() ?? [])]],
    ['AUDIT_SECRET', audit?.secrets ?? []]
  ]
  return new Map(all.map(([variable, secrets]) => [variable, secrets.filter(secret => secret !== undefined)]))
}
