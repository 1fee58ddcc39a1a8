import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Logger } from 'pino'
import { RequestFacts, writeRequestLine } from '../observability/request-log.ts'
import type { Drain } from './drain.ts'
import { createHeadCheck } from './header-rules.ts'

export interface RequestLifeOptions {
  readonly drain: Drain
  readonly log: Logger
}

/**
 * What every request goes through before anything else looks at it, and every answer before it leaves. One hook for
 * each, in which the steps stand in order: a hook costs Fastify about as much as all of them together.
 */
export const requestLife = fp<RequestLifeOptions>(
  async (app, { drain, log }) => {
    const checkHead = createHeadCheck()
    app.decorateRequest('facts', null as unknown as FastifyRequest['facts'])
    app.decorateRequest('hasLine', false)

    app.addHook('onRequest', (request, reply, done) => {
      request.facts = new RequestFacts()
      setStandardHeaders(reply, request.id)
      try {
        checkHead(request.raw)
      } catch (error) {
        // Whoever reads this head differently may also see another end of this request.
        reply.header('connection', 'close')
        throw error
      }
      drain.check()
      done()
    })

    app.addHook('onSend', (request, reply, payload, done) => {
      writeRequestLine(log, request, reply)
      // When the answer leaves, so that a reply which began before the drain ends its connection, too.
      if (drain.draining) reply.header('connection', 'close')
      done(null, payload)
    })
  },
  { name: 'request-life', fastify: '5.x' }
)

/** What every answer carries, refusals included. */
export function setStandardHeaders(reply: FastifyReply, requestId: string): void {
  reply
    .header('x-request-id', requestId)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
}
