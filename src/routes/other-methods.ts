import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const

export interface OtherMethodsOptions {
  /** What is answered: the methods of each address. */
  readonly answered: ReadonlyMap<string, ReadonlySet<string>>
}

/**
 * The methods that an address does not have, outside the signed-in scope: there is nothing to protect. They are refused
 * before a body is read.
 */
export const otherMethodsRoutes: FastifyPluginAsync<OtherMethodsOptions> = async (app, { answered }) => {
  for (const [url, methods] of answered) {
    const refuse = refusalFor(METHODS.filter(method => methods.has(method)))
    app.route({
      method: METHODS.filter(method => !methods.has(method)),
      url,
      config: { operation: 'refuse-method' },
      onRequest: refuse,
      handler: refuse
    })
  }
}

function refusalFor(methods: readonly string[]) {
  const named = new Intl.ListFormat('en').format(methods)
  const detail = `Only ${named} ${methods.length === 1 ? 'is' : 'are'} answered here.`
  return async (_request: FastifyRequest, response: FastifyReply): Promise<never> => {
    response.header('allow', methods.join(', '))
    throw new AppError('method-not-allowed', detail)
  }
}
