// What only a host can give: its server and its router were made before the plugin is registered.
import { maxHeaderSize } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/load-config.ts'

/** A host in which replies could not keep their promises; names each of its options that has to change. */
export class HostError extends Error {
  override readonly name = 'HostError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`Thread replies cannot be registered here:\n${problems.map(problem => `  - ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

const MAX_HEADER_BYTES = 16 * 1024
/** A key of 255 characters, each encoded as three. */
const MAX_PARAM_LENGTH = 3 * 255
/** Beyond the deadline of a reply an answer has to be written, too. */
const ANSWERING_MS = 5000

interface Finding {
  /** Whether the host has it. */
  readonly isThere: boolean
  readonly sentence: string
}

/** Throws a HostError for what cannot be; returns what an operator should know of the rest. */
export function checkHost(app: FastifyInstance, config: Config): string[] {
  const refused = refusals(app, config).filter(({ isThere }) => isThere)
  if (refused.length > 0) throw new HostError(refused.map(({ sentence }) => sentence))
  return warnings(app, config)
    .filter(({ isThere }) => isThere)
    .map(({ sentence }) => sentence)
}

function refusals(app: FastifyInstance, { delivery, trustProxy, auth }: Config): Finding[] {
  const { http2, connectionTimeout = 0 } = app.initialConfig
  const neededMs = delivery.deadlineMs + ANSWERING_MS
  return [
    {
      isThere: http2 === true,
      sentence: 'http2 must be off: what is known of a lost connection is known of HTTP/1.1.'
    },
    {
      isThere: 'insecureHTTPParser' in app.server && app.server.insecureHTTPParser === true,
      sentence: 'http.insecureHTTPParser must be off: it allows request smuggling.'
    },
    {
      isThere: connectionTimeout > 0 && connectionTimeout < neededMs,
      sentence: `connectionTimeout is ${connectionTimeout} ms and must be 0 or at least ${neededMs} ms: a reply may take REPLY_DEADLINE_MS, and its answer would be cut off.`
    },
    {
      isThere: trustProxy.length > 0 && !trustsProxies(app),
      sentence: 'TRUST_PROXY names proxies, but the app was made without trustProxy: give it the same addresses.'
    },
    {
      isThere: /[:*]/.test(app.prefix),
      sentence: 'The prefix must hold no parameters: addresses are read as they are.'
    },
    {
      isThere: auth.login !== undefined && app.prefix !== '',
      sentence: 'AUTH_LOGIN_ISSUER needs a registration without a prefix: /auth/callback is an address of this origin.'
    }
  ]
}

function warnings(app: FastifyInstance, { trustProxy }: Config): Finding[] {
  const { forceCloseConnections, maxParamLength = 100, routerOptions } = app.initialConfig
  const paramLength = routerOptions?.maxParamLength ?? maxParamLength
  const headerBytes = 'maxHeaderSize' in app.server ? Number(app.server.maxHeaderSize ?? maxHeaderSize) : maxHeaderSize
  return [
    {
      isThere: 'requestTimeout' in app.server && app.server.requestTimeout === 0,
      sentence:
        'requestTimeout of the app is 0: a client that sends its body slowly is never disconnected; the service has 15000.'
    },
    {
      isThere: headerBytes > MAX_HEADER_BYTES,
      sentence: `http.maxHeaderSize of the app is ${headerBytes}: the service takes ${MAX_HEADER_BYTES} bytes.`
    },
    {
      isThere: trustProxy.length === 0 && trustsProxies(app),
      sentence: 'The app was made with trustProxy, and TRUST_PROXY names nobody: name the same addresses there.'
    },
    {
      isThere: forceCloseConnections === true,
      sentence: 'forceCloseConnections of the app is true: close() cuts off the answers to replies that are under way.'
    },
    {
      isThere: paramLength < MAX_PARAM_LENGTH,
      sentence: `maxParamLength of the app is ${paramLength}: a longer key cannot be asked for by /by-key/; the service has ${MAX_PARAM_LENGTH}.`
    }
  ]
}

/** Fastify shows no trustProxy, but only an app that has one knows the addresses on the way. */
function trustsProxies(app: FastifyInstance): boolean {
  return app.hasRequestDecorator('ips')
}
