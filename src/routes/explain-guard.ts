import type { FastifyRequest } from 'fastify'
import { credentialRefusal } from '../auth/reasons.ts'
import { CALLER } from '../auth/require-caller.ts'
import { parsePrefer } from '../http/head/prefer.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route answers `Prefer: handling=explain` itself, and does nothing then. */
    readonly explains?: boolean
  }
}

const CHANGES_NOTHING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Throws `forbidden` for a request that asks to be explained where its caller or its route does not allow that. Whoever
 * asks wants nothing to happen: to ignore it would do what must not be done.
 */
export function checkExplain({ method, headers, [CALLER]: caller, routeOptions }: FastifyRequest): void {
  const prefer = headers['prefer']
  if (prefer === undefined || CHANGES_NOTHING.has(method) || !parsePrefer(prefer.toString()).explain) return
  if (!caller.mayExplain) {
    throw credentialRefusal('forbidden', 'explain-scope', 'This credential does not allow asking for an explanation.')
  }
  if (!routeOptions.config.explains) {
    throw credentialRefusal('forbidden', 'explain-route', 'Only a new reply can be explained; nothing was done.')
  }
}
