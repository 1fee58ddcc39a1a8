import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'

export type RegisteredRoute = Pick<RouteOptions, 'url' | 'config' | 'schema'> & { readonly method: string }

/**
 * Every route of an app that `create` makes, one for each method, with the app when it is ready; `extend` sees each scope before
 * its own code runs.
 */
export async function registeredRoutes(
  create: () => Promise<FastifyInstance>,
  extend: (scope: FastifyInstance) => void = () => undefined
): Promise<{ readonly app: FastifyInstance; readonly routes: readonly RegisteredRoute[] }> {
  const routes = new Map<FastifyInstance, RouteOptions[]>()
  const watch = (message: unknown): void => {
    const { fastify } = message as { fastify: FastifyInstance }
    const found: RouteOptions[] = []
    routes.set(fastify, found)
    fastify.addHook('onRoute', route => void found.push(route))
    fastify.addHook('onRegister', extend)
  }
  subscribe('fastify.initialization', watch)
  const app = await create().finally(() => unsubscribe('fastify.initialization', watch))
  try {
    await app.ready()
  } catch (error) {
    await app.close()
    throw error
  }
  const found = routes.get(app) ?? []
  return {
    app,
    routes: found.flatMap(({ method, url, config, schema }) =>
      [method].flat().map(name => ({ method: name, url, ...(config && { config }), ...(schema && { schema }) }))
    )
  }
}
