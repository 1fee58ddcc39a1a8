import fastify from 'fastify'
import t from 'tap'
import * as schemas from '../../src/routes/replies-schemas.ts'

t.test('every schema is valid JSON Schema: the service does not look at them when it starts', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  for (const [name, schema] of Object.entries(schemas)) app.post(`/${name}`, { schema: { body: schema } }, () => '')

  t.ok(Object.keys(schemas).length > 3)
  await t.resolves(async () => void (await app.ready()))
})

t.test('a schema that is not valid would be found', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  app.post('/', { schema: { body: { type: 'object', required: 'not a list' } } }, () => '')

  await t.rejects(async () => void (await app.ready()))
})
