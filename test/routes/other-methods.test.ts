import fastify from 'fastify'
import t from 'tap'
import { AppError } from '../../src/errors.ts'
import { otherMethodsRoutes } from '../../src/routes/other-methods.ts'

t.test('an address says which methods it has, one or several', async t => {
  const app = fastify({ exposeHeadRoutes: false })
  app.setErrorHandler((error, _request, response) =>
    response.code(405).send(error instanceof AppError ? { code: error.code, detail: error.message } : {})
  )
  const answered = new Map([
    ['/one', new Set(['POST'])],
    ['/two', new Set(['PATCH', 'DELETE'])]
  ])
  await app.register(otherMethodsRoutes, { answered })

  for (const [url, allow, detail] of [
    ['/one', 'POST', 'Only POST is answered here.'],
    ['/two', 'PATCH, DELETE', 'Only PATCH and DELETE are answered here.']
  ] as const) {
    for (const method of ['GET', 'PUT'] as const) {
      const answer = await app.inject({ method, url })
      t.match(answer.headers, { allow }, `${method} ${url}`)
      t.same(answer.json(), { code: 'method-not-allowed', detail })
    }
  }
})
