// A host's app with the plugin in it, with the defaults of Fastify and one log for both.
import fastify from 'fastify'
import { pino } from 'pino'
import { threadReplies } from '../src/plugin/thread-replies.ts'

const app = fastify({
  // Written in pieces, as the service writes its own: a system call a line is what a log costs, not the plugin.
  loggerInstance: pino(pino.destination({ sync: false, minLength: 4096 })),
  // The service writes one line a request: so does this.
  logController: new fastify.LogController({ disableRequestLogging: true }),
  requestTimeout: 15_000,
  return503OnClosing: false,
  routerOptions: { maxParamLength: 765 }
})
await app.register(threadReplies({ settings: process.env }), { prefix: '/chat' })
await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) })
