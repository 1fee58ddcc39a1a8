import { parseUrl } from '../../lib/node20/parse-url.ts'
import type { EnvReader } from '../env-reader.ts'

/** Hosts, with their ports, that may be asked about users over plain http: inside a cluster, named one by one. */
export function loadHttpHosts(reader: EnvReader): ReadonlySet<string> {
  const hosts = reader.list('AUTH_HTTP_HOSTS').map(hostOf)
  if (hosts.includes(undefined)) {
    reader.refuse('AUTH_HTTP_HOSTS must list hosts with their ports, such as keycloak:8080: no *, no scheme, no path.')
  }
  return new Set(hosts.flatMap(host => host ?? []))
}

/** As URLs have it, which leave the port 80 of http out. */
function hostOf(text: string): string | undefined {
  if (!/^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/.test(text)) return undefined
  return parseUrl(`http://${text}`)?.host
}
