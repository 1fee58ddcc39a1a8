import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { trimBlanks } from '../../lib/ascii.ts'
import { digestOf } from '../../lib/digest.ts'

export interface DocumentOptions {
  /** Throws for a request that must not be answered. */
  readonly checkFirst: (request: FastifyRequest) => void
}

interface Served {
  readonly text: string
  readonly etag: string
}

/** A new version of the service is seen after so long at the latest. */
const CACHE_CONTROL = 'public, max-age=300'

/** `GET /openapi.json`: what this version of the service can be asked, for anybody, from any page; nothing of the instance. */
export const documentRoute: FastifyPluginAsync<DocumentOptions> = async (app, { checkFirst }) => {
  let served: Promise<Served> | undefined

  app.addHook('onRequest', async request => checkFirst(request))
  app.get(
    '/openapi.json',
    { exposeHeadRoute: true, config: { operation: 'show-document' } },
    async (request, response) => {
      served ??= writeDocument()
      const { text, etag } = await served
      response.header('cache-control', CACHE_CONTROL).header('etag', etag)
      // A page of a listed origin may read every answer already, and may send its cookies, which no star allows.
      if (!response.hasHeader('access-control-allow-origin')) response.header('access-control-allow-origin', '*')
      if (isKnown(request.headers['if-none-match'], etag)) return response.code(304).send()
      return response.type('application/json; charset=utf-8').send(text)
    }
  )
}

/** Loaded and written for the first who asks: no start waits for it. */
async function writeDocument(): Promise<Served> {
  const { openApiDocument } = await import('./document.ts')
  const text = JSON.stringify(openApiDocument())
  return { text, etag: `"${digestOf(text)}"` }
}

/** RFC 9110 §13.1.2, compared weakly: a proxy that compresses makes the tag a weak one. */
function isKnown(header: string | undefined, etag: string): boolean {
  const tags = header?.split(',').map(tag => trimBlanks(tag).replace(/^W\//, '')) ?? []
  return tags.includes(etag) || tags.includes('*')
}
