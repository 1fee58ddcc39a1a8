import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createLedger, type Ledger } from '../../lib/service/ledger.ts'
import { bodyTooLarge, HOLDING, tooMuchHeld } from './read-body.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What this request has booked; null where it has no body, and once it is answered. */
    [HOLDING]: Holding | null
  }
}

export interface HeldBodiesOptions {
  /** Who is charged. */
  readonly holderOf: (request: FastifyRequest) => string
  readonly maxBytes?: number
  /** Inside a host's app, whose hooks may look at a body after its answer. */
  readonly isHosted?: boolean
}

const MAX_HELD_BYTES = 64 * 1024 * 1024
/** What a request holds beside its body: its objects, and what waits with it. */
const REQUEST_BYTES = 8 * 1024

class Holding {
  readonly #ledger: Ledger
  readonly #holder: string
  #bytes = 0

  constructor(ledger: Ledger, holder: string) {
    this.#ledger = ledger
    this.#holder = holder
  }

  /** Whether so many bytes more may be held. */
  grow(bytes: number): boolean {
    if (!this.#ledger.book(this.#holder, bytes)) return false
    this.#bytes += bytes
    return true
  }

  end(): void {
    this.#ledger.free(this.#holder, this.#bytes)
    this.#bytes = 0
  }
}

/**
 * Bounds what all requests that are under way hold together, from the beginning of their body until they are answered; also
 * where the client has gone meanwhile, because its reply goes on. What would be too much is refused before its body is
 * read: `overloaded`.
 */
export const heldBodies = fp<HeldBodiesOptions>(
  async (app, { holderOf, maxBytes = MAX_HELD_BYTES, isHosted = false }) => {
    const ledger = createLedger(maxBytes)
    app.decorateRequest(HOLDING, null)

    // The caller is known by now, and nothing of the body is read.
    app.addHook('preParsing', (request, _response, payload, done) => {
      const { 'content-length': declared, 'transfer-encoding': coding } = request.headers
      if (declared === undefined && coding === undefined) return done(null, payload)
      const declaredBytes = Number(declared ?? 0)
      // It would never be held.
      if (declaredBytes > request.routeOptions.bodyLimit) return done(bodyTooLarge())
      const holding = new Holding(ledger, holderOf(request))
      if (!holding.grow(declaredBytes + REQUEST_BYTES)) return done(tooMuchHeld())
      request[HOLDING] = holding
      done(null, payload)
    })

    app.addHook('onSend', (request, _response, payload, done) => {
      request[HOLDING]?.end()
      request[HOLDING] = null
      if (!isHosted) request.body = undefined
      done(null, payload)
    })
  },
  { name: 'held-bodies', fastify: '5.x' }
)
