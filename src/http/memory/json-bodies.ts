import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parseJsonBody, readBodyOf } from './read-body.ts'

export const MAX_BODY_BYTES = 256 * 1024

/** Reads the bodies of an app or a scope as JSON, and no others. */
export function parseJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', async (request: FastifyRequest, payload: IncomingMessage) =>
    parseJsonBody(await readBodyOf(request, payload))
  )
}
