import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { AppError } from '../../src/errors.ts'
import { toAppError } from '../../src/http/framework-errors.ts'
import { createStrictCompiler } from '../../src/http/guard/strict-schemas.ts'

function start(t: Test, options: { bodyLimit?: number } = {}): { app: FastifyInstance; refusals: AppError[] } {
  const app = fastify(options)
  const refusals: AppError[] = []
  t.teardown(() => app.close())
  app.setValidatorCompiler(createStrictCompiler())
  app.setErrorHandler((error, _request, response) => {
    refusals.push(toAppError(error))
    response.send('refused')
  })
  return { app, refusals }
}

t.test('each finding of a schema has a pointer, a code and a sentence', async t => {
  const { app, refusals } = start(t)
  const properties = {
    kind: { type: 'string', enum: ['one', 'two'] },
    text: { type: 'string', minLength: 2, maxLength: 3, pattern: '^a' },
    list: { type: 'array', minItems: 1, maxItems: 2, items: { type: 'integer', minimum: 1, maximum: 2 } },
    map: { type: 'object', minProperties: 1, maxProperties: 1 }
  }
  const body = { type: 'object', additionalProperties: false, required: ['kind'], properties }
  app.post('/', { schema: { body } }, async () => 'fine')

  for (const [payload, expected] of [
    [{}, ['missing /kind']],
    [{ kind: 'one', more: 1 }, ['unknown-member /more']],
    [{ kind: 'one', 'not plain': 1 }, ['unknown-member ']],
    [{ kind: 'three' }, ['not-allowed /kind']],
    [{ kind: 'one', text: 1 }, ['wrong-type /text']],
    [{ kind: 'one', text: 'a' }, ['too-short /text']],
    [{ kind: 'one', text: 'aaaa' }, ['too-long /text']],
    [{ kind: 'one', text: 'bb' }, ['wrong-format /text']],
    [{ kind: 'one', list: [] }, ['too-short /list']],
    [{ kind: 'one', list: [0, 3] }, ['out-of-range /list/0', 'out-of-range /list/1']],
    [{ kind: 'one', list: [1, 1, 1] }, ['too-long /list']],
    [{ kind: 'one', map: {} }, ['too-short /map']],
    [{ kind: 'one', map: { a: 1, b: 1 } }, ['too-long /map']]
  ] as const) {
    await app.inject({ method: 'POST', url: '/', payload })
    const refusal = refusals.pop()
    const errors = refusal?.options.errors ?? []
    t.equal(refusal?.code, 'invalid-request')
    t.same(
      errors.map(({ code, pointer }) => `${code} ${pointer}`),
      expected,
      JSON.stringify(payload)
    )
    for (const { code, detail } of errors) {
      t.match(detail, /^(It|The member) .+\.$/)
      if (code === 'missing') t.equal(detail, 'The member is missing.')
      if (code === 'unknown-member') t.equal(detail, 'The member is not known here.')
    }
  }
  t.equal(
    (await app.inject({ method: 'POST', url: '/', payload: { kind: 'one', text: 'aa', list: [1] } })).body,
    'fine'
  )
})

t.test('twenty findings are enough', async t => {
  const { app, refusals } = start(t)
  app.post('/', { schema: { body: { type: 'array', items: { type: 'string' } } } }, async () => 'fine')

  await app.inject({ method: 'POST', url: '/', payload: Array.from({ length: 30 }, () => 1) })
  t.equal(refusals[0]?.options.errors?.length, 20)
})

t.test('what Fastify refuses by itself has a code of ours', async t => {
  const { app, refusals } = start(t, { bodyLimit: 100 })
  app.post('/', async () => 'fine')
  const json = { 'content-type': 'application/json' }

  for (const [headers, payload, code] of [
    [json, '', 'malformed-request'],
    [json, '{', 'malformed-request'],
    [json, JSON.stringify('x'.repeat(100)), 'payload-too-large'],
    [{ ...json, 'content-length': '3' }, '{}', 'malformed-request'],
    [{ 'content-type': 'text/html' }, 'x', 'unsupported-media-type']
  ] as const) {
    await app.inject({ method: 'POST', url: '/', headers, payload })
    t.equal(refusals.pop()?.code, code, payload.slice(0, 20))
  }
})

t.test('a refusal of ours stays what it is, and everything else is a bug without a word of it', async t => {
  const refusal = new AppError('forbidden', 'Public text.', { reason: 'act-scope' })
  t.equal(toAppError(refusal), refusal)

  for (const thrown of [
    new Error('canary'),
    Object.assign(new Error('canary'), { code: 'ECANARY' }),
    Object.assign(new Error('canary'), { code: 500 }),
    { code: 'FST_ERR_CTP_BODY_TOO_LARGE' },
    'canary',
    undefined
  ]) {
    const error = toAppError(thrown)
    t.equal(error.code, 'internal')
    t.notMatch(error.message, 'canary')
    t.equal(error.cause, thrown)
  }
})
