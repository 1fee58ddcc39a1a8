import { schemeOf } from '../lib/service/store-address.ts'
import type { IntrospectionConfig } from './introspection.ts'
import { describeAsked, describeIssuer } from './issuers/describe-issuer.ts'
import type { IssuerConfig } from './issuers/issuer.ts'
import type { Config } from './load-config.ts'

/** What `--check-config` says of a configuration without a mistake; secrets are shown by their fingerprints. */
export function describeConfig(config: Config): string {
  const { cometchat, auth, uid, delivery, warnings } = config
  return [
    'The configuration is valid.',
    `  listens on   ${config.public.host}:${config.public.port}, probes on ${config.admin.host}:${config.admin.port}`,
    `  workers      ${config.workers}`,
    `  connections  ${config.maxConnections} at most, kept idle for ${config.keepAliveTimeoutMs / 1000} s`,
    `  ignores      ${config.ignoredHeaders.join(', ') || 'no header'}`,
    `  proxy        ${config.proxy?.shown.join(' and ') ?? 'none'}`,
    `  CometChat    ${cometchat.origin}, key ${cometchat.apiKeys.join(' and ')}`,
    `  bearer JWT   ${describeBearer(config)}`,
    `  app session  ${auth.session ? describeSession(auth.sessionCookie, auth.session) : 'off'}`,
    `  own login    ${auth.login ? `issuer ${auth.login.issuer}, at ${auth.login.origin}` : 'off'}`,
    `  opaque       ${auth.introspection ? describeIntrospection(auth.introspection) : 'refused'}`,
    `  CORS         ${describeCors(config.cors)}`,
    `  UID          ${uid.mode} of claim ${uid.claim}${describeTable(uid)}; unknown users are ${uid.create ? 'created' : 'refused'}`,
    `  limits       ${describeLimits(config.limits)}`,
    `  traces       ${describeTraces(config.traces)}`,
    `  records      ${describeRecords(delivery)}, marker ${delivery.marker ? 'on' : 'off'}`,
    ...warnings.map(text => `  warning      ${text}`),
    ''
  ].join('\n')
}

function describeCors({ origins, headers }: Config['cors']): string {
  if (origins.size === 0) return 'off'
  return `${[...origins].join(', ')}${headers.length > 0 ? `; also with ${headers.join(', ')}` : ''}`
}

function describeTraces(traces: Config['traces']): string {
  if (!traces) return 'off'
  const { url, sampler, ratio, trust, headers } = traces
  const names = [...headers.keys()]
  const rate = sampler.endsWith('ratio') ? ` ${ratio}` : ''
  const withHeaders = names.length > 0 ? ` with ${names.join(', ')}` : ''
  return `to ${new URL(url).origin}${withHeaders}, ${sampler}${rate}, callers are ${trust === 'parent' ? 'parents' : 'linked to'}`
}

function describeBearer({ auth, uid }: Config): string {
  if (auth.issuers) return auth.issuers.issuers.map(issuer => lineOf(issuer, uid.mode)).join('\n               ')
  if (!auth.jwt) return 'off'
  const { jwt, introspection } = auth
  if (introspection?.tokens !== 'all') return lineOf(jwt, uid.mode)
  return `issuer ${jwt.issuer}, ${describeAsked(jwt, uid.mode, introspection.url)}`
}

function describeRecords({ store, directory, secret }: Config['delivery']): string {
  if (!directory) return schemeOf(store)
  return `file ${directory.records}, secret ${secret ?? `in ${directory.secret}`}`
}

function lineOf(issuer: IssuerConfig, uidMode: string): string {
  return `issuer ${issuer.issuer ?? 'any'}, ${describeIssuer(issuer, uidMode)}`
}

function describeIntrospection({ url, client, tokens }: NonNullable<IntrospectionConfig>): string {
  const asked = `${tokens} tokens are asked about at ${url}`
  if ('token' in client) return `${asked} with token ${client.token}`
  return `${asked} as client ${client.clientId}, secret ${client.clientSecret}`
}

function describeLimits({ mode, userLimit, serviceLimit, appPerMinute, ...door }: Config['limits']): string {
  if (mode === 'off') return 'off'
  const counts = [
    ['a user', userLimit],
    ['a service', serviceLimit],
    ['the app', appPerMinute],
    ['an address', door.addressPerMinute],
    ['failures of one', door.failuresPerMinute]
  ] as const
  const shown = counts.map(([of, limit]) => `${limit === 0 ? 'any' : limit} of ${of}`)
  return `${shown.join(', ')} in a minute${mode === 'observe' ? '; only observed' : ''}`
}

function describeTable({ table }: Config['uid']): string {
  if (!table) return ''
  return table.kind === 'file' ? `, ${table.table.size} users in ${table.path}` : `, asked at ${table.template}`
}

function describeSession(cookie: string, session: NonNullable<Config['auth']['session']>): string {
  const { secrets, prefix, userPath, issuer } = session
  return `cookie ${cookie}, signed with ${secrets.join(' or ')}, key ${prefix}…, user at ${userPath}, issuer ${issuer}`
}
