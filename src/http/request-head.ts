import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { checkHead } from './header-rules.ts'

/** What every answer carries, refusals included. */
export function setStandardHeaders(reply: FastifyReply, requestId: string): void {
  reply.headers({
    'x-request-id': requestId,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff'
  })
}

/** Looks at the head of every request before anything else does. */
export const requestHead = fp(
  async app => {
    app.addHook('onRequest', async (request, reply) => {
      setStandardHeaders(reply, request.id)
      try {
        checkHead(request.raw)
      } catch (error) {
        // Whoever reads this head differently may also see another end of this request.
        reply.header('connection', 'close')
        throw error
      }
    })
  },
  { name: 'request-head', fastify: '5.x' }
)
