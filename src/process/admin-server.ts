import fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyReply } from 'fastify'
import type { Logger } from 'pino'
import { describeBug } from '../lib/bug.ts'
import { cutAnswer } from '../lib/tripwire/cut-answer.ts'
import type { Tripwire } from '../lib/tripwire/tripwire.ts'
import { formatFor } from '../observability/metrics/accept.ts'
import type { Family } from '../observability/metrics/family.ts'
import type { Readiness } from '../plugin/readiness.ts'

export interface HealthOptions {
  readonly readiness: () => Readiness | Promise<Readiness>
}

export interface MetricsOptions {
  readonly metrics: () => readonly Family[] | Promise<readonly Family[]>
}

export interface AdminOptions extends HealthOptions, MetricsOptions {
  readonly log: Logger
  /** The last look at what an answer holds. */
  readonly tripwire: Tripwire
}

/** The listener for probes and scrapers; nothing listens yet. */
export async function createAdminServer(options: AdminOptions): Promise<FastifyInstance> {
  const admin = fastify({
    logger: false,
    forceCloseConnections: true,
    frameworkErrors: (_error, _request, response) => answerNotFound(response)
  })
  admin.addHook('onSend', async (request, response, payload) => {
    response.header('cache-control', 'no-store')
    return cutAnswer(
      response,
      payload,
      options.tripwire,
      request.routeOptions.url === '/metrics' ? 'metrics' : 'answer'
    )
  })
  admin.setNotFoundHandler((_request, response) => answerNotFound(response))
  admin.setErrorHandler((error, _request, response) => {
    options.log.error(describeBug(error), 'bug')
    return response.code(500).send({ status: 'failed' })
  })
  await admin.register(healthRoutes, options)
  await admin.register(metricsRoute, options)
  return admin
}

/** `GET /livez` knows the event loop only; `GET /readyz` knows what a reply would need. */
const healthRoutes: FastifyPluginAsync<HealthOptions> = async (app, { readiness }) => {
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

/** `GET /metrics`, in the format that `Accept` asks for; docs/metrics.md says what is there. */
const metricsRoute: FastifyPluginAsync<MetricsOptions> = async (app, { metrics }) => {
  app.get('/metrics', async (request, response) => {
    // Loaded for the first scrape: who does not scrape does not wait for it.
    const { expose } = await import('../observability/metrics/exposition.ts')
    const { contentType, text } = await expose(await metrics(), formatFor(request.headers.accept))
    response.header('content-type', contentType)
    return text
  })
}

/** In the place of Fastify's own answers, which repeat the address. */
function answerNotFound(response: FastifyReply): void {
  void response.code(404).send({ status: 'not-found' })
}
