import fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyReply } from 'fastify'
import type { Readiness } from '../app.ts'

export interface HealthOptions {
  readonly readiness: () => Readiness | Promise<Readiness>
}

/** The listener for probes; nothing listens yet. */
export async function createAdminServer(options: HealthOptions): Promise<FastifyInstance> {
  const admin = fastify({
    logger: false,
    forceCloseConnections: true,
    frameworkErrors: (_error, _request, response) => answerNotFound(response)
  })
  await admin.register(healthRoutes, options)
  return admin
}

/** `GET /livez` knows the event loop only; `GET /readyz` knows what a reply would need. */
const healthRoutes: FastifyPluginAsync<HealthOptions> = async (app, { readiness }) => {
  app.addHook('onSend', async (_request, response) => {
    response.header('cache-control', 'no-store')
  })

  app.setNotFoundHandler((_request, response) => answerNotFound(response))

  app.get('/livez', async () => ({ status: 'live' }))

  app.get('/readyz', async (request, response) => {
    const { reasons, warnings, limits = [] } = await readiness()
    const verbose = new URLSearchParams(request.url.split('?')[1]).has('verbose')
    response.code(reasons.length === 0 ? 200 : 503)
    return {
      status: reasons.length === 0 ? 'ready' : 'not-ready',
      ...(verbose && { reasons, ...(warnings.length > 0 && { warnings }), ...(limits.length > 0 && { limits }) })
    }
  })
}

/** In the place of Fastify's own answers, which repeat the address. */
function answerNotFound(response: FastifyReply): void {
  void response.code(404).send({ status: 'not-found' })
}
