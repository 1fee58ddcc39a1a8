import type { Environment } from '../env-reader.ts'

const MARK = /^(.+?)(?:_SERVICE_HOST|_PORT_\d+_(?:TCP|UDP|SCTP))$/
const ADDRESS = /^(?:tcp|udp|sctp):\/\//

/**
 * The environment without what container platforms add to it for every Service near by: `ADMIN_SERVICE_HOST`, and with it
 * `ADMIN_PORT=tcp://…`, are about a Service called admin, and are nobody's settings.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
export function withoutServiceLinks(env: Environment): Environment {
  const services = new Set(Object.keys(env).flatMap(name => MARK.exec(name)?.[1] ?? []))
  if (services.size === 0) return env
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => !isLink(name, value, services)))
}

function isLink(name: string, value: string | undefined, services: ReadonlySet<string>): boolean {
  const service =
    /^(.+?)(?:_SERVICE_HOST|_SERVICE_PORT(?:_.+)?|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/.exec(name)
  if (service?.[1] !== undefined) return services.has(service[1])
  // One that the operator sets goes before the platform's, and holds a number.
  return name.endsWith('_PORT') && services.has(name.slice(0, -'_PORT'.length)) && ADDRESS.test(value ?? '')
}
