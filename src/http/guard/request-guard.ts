import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { AppError } from '../../errors.ts'
import { MAX_VIOLATIONS, type Violation } from '../../lib/refusals/violations.ts'
import type { Drain } from '../drain.ts'
import { invalidRequest } from '../framework-errors.ts'
import { hygieneViolations, memberPointer } from './body-hygiene.ts'
import { createReservedMembers } from './reserved-members.ts'
import { createStrictCompiler } from './strict-schemas.ts'

/** Where a request keeps its key. */
export const IDEMPOTENCY_KEY: unique symbol = Symbol('thread-reply.idempotency-key')

declare module 'fastify' {
  interface FastifyRequest {
    /** Without quotes and escapes; undefined where the client sent none. Only inside a guarded scope. */
    [IDEMPOTENCY_KEY]: string | undefined
  }
  interface FastifyContextConfig {
    /** JSON pointers of a body: what lies there is the client's own, and may have any number of entries. */
    readonly freeForm?: readonly string[]
    /** Parameters of the path that may need an encoding; every other is an id. */
    readonly encodedParams?: readonly string[]
    /** Whether a POST does no more when it comes twice, so that no key has to be demanded. */
    readonly isRepeatable?: boolean
  }
}

export interface RequestGuardOptions {
  /** Asked again once the body is here, because a body takes its time. */
  readonly drain: Pick<Drain, 'check'>
  /** Throws for what is no key, and for none where one is required. */
  readonly idempotencyKeyOf: (header: string | undefined) => string | undefined
  /** Members of `data.metadata` that only this service may write. */
  readonly reservedMetadata: readonly string[]
}

/**
 * What every request of a scope goes through between its body and its schema, whatever its route is, and how strictly the
 * scope's schemas are read. One hook, in which the steps stand in order.
 */
export const requestGuard = fp<RequestGuardOptions>(
  async (app, { drain, idempotencyKeyOf, reservedMetadata }) => {
    const reservedMembers = createReservedMembers(reservedMetadata)
    app.setValidatorCompiler(createStrictCompiler())
    app.decorateRequest(IDEMPOTENCY_KEY, undefined)

    app.addHook('preValidation', (request, _response, done) => {
      drain.check()
      checkTarget(request)
      const header = request.headers['idempotency-key']?.toString()
      if (header !== undefined) request[IDEMPOTENCY_KEY] = idempotencyKeyOf(header)
      // RFC 9110 §9.2.2: of the methods in use here, POST alone does more when it comes twice.
      else if (request.method === 'POST') requireKey(request)
      const unclean = hygieneViolations(request.body, () => request.routeOptions.config.freeForm ?? [])
      if (unclean.length > 0) throw invalidRequest('body-text', unclean)
      const reserved = reservedMembers(request.body)
      if (reserved.length > 0) throw reservedName(reserved)
      done()
    })

    function requireKey(request: FastifyRequest): void {
      try {
        idempotencyKeyOf(undefined)
      } catch (error) {
        // Only now: see checkTarget.
        if (request.routeOptions.config.isRepeatable !== true) throw error
      }
    }
  },
  { name: 'request-guard', fastify: '5.x' }
)

/** What is in an address must be seen by every reader alike: nothing encoded, and no query that no schema knows. */
function checkTarget(request: FastifyRequest): void {
  if (request.raw.url?.includes('%')) checkEncoding(request.raw.url, request.routeOptions)
  const names = Object.keys(request.query ?? {})
  // Only now: Fastify makes its description of a route for each look at it.
  if (names.length === 0 || request.routeOptions.schema?.querystring !== undefined) return
  const detail = 'The member is not known here.'
  throw invalidRequest(
    'target',
    names.slice(0, MAX_VIOLATIONS).map(name => ({ pointer: memberPointer('', name), code: 'unknown-member', detail }))
  )
}

function checkEncoding(url: string, { url: template = '', config }: FastifyRequest['routeOptions']): void {
  const allowed = config.encodedParams ?? []
  const names = template.split('/')
  const path = url.split('?', 1)[0] ?? ''
  for (const [place, segment] of path.split('/').entries()) {
    if (!segment.includes('%')) continue
    const name = names[place] ?? ''
    if (name.startsWith(':') && allowed.includes(name.slice(1))) continue
    const pointer = name.startsWith(':') ? `/${name.slice(1)}` : ''
    throw invalidRequest('target', [
      { pointer, code: 'wrong-format', detail: 'Nothing in the path needs an encoding.' }
    ])
  }
}

function reservedName(errors: readonly Violation[]): AppError {
  return new AppError('reserved-name', 'A member names something that only this service may set.', {
    errors,
    reason: 'reserved-member'
  })
}
