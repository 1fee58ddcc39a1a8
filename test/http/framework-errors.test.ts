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
    [{ kind: 'one', list: [] }, ['too-few /list']],
    [{ kind: 'one', list: [0, 3] }, ['out-of-range /list/0', 'out-of-range /list/1']],
    [{ kind: 'one', list: [1, 1, 1] }, ['too-many /list']],
    [{ kind: 'one', map: {} }, ['too-few /map']],
    [{ kind: 'one', map: { a: 1, b: 1 } }, ['too-many /map']]
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

t.test('a finding is told in words of ours, with its numbers, and never in those of a validator', async t => {
  const { app, refusals } = start(t)
  const properties = {
    kind: { type: 'string', enum: ['one', 'two'] },
    text: { type: 'string', maxLength: 3 },
    id: { type: 'string', pattern: '^[0-9]+$', description: 'a message id: digits' },
    bare: { type: 'string', pattern: '^a' },
    list: { type: 'array', minItems: 2, items: {} },
    count: { type: 'integer', maximum: 2 },
    either: { anyOf: [{ type: 'string' }, { type: 'boolean' }] },
    odd: { not: {} }
  }
  app.post('/', { schema: { body: { type: 'object', additionalProperties: false, properties } } }, async () => 'fine')

  for (const [payload, error] of [
    [{ kind: 'three' }, { code: 'not-allowed', detail: 'It must be one of: one, two.' }],
    [{ kind: 1 }, { code: 'wrong-type', detail: 'It must be a text.' }],
    [{ kind: null }, { code: 'wrong-type', detail: 'It is null; leave the member out instead.' }],
    [{ text: '😀😀😀😀' }, { code: 'too-long', detail: 'It must have at most 3 characters.', limit: 3, actual: 4 }],
    [{ id: 'x' }, { code: 'wrong-format', detail: 'It must be a message id: digits.' }],
    [{ bare: 'x' }, { code: 'wrong-format', detail: 'It has another form than is wanted.' }],
    [{ list: [1] }, { code: 'too-few', detail: 'It must have at least 2 entries.', limit: 2, actual: 1 }],
    [{ count: 3 }, { code: 'out-of-range', detail: 'It must be at most 2.', limit: 2, actual: 3 }],
    [{ count: 'three' }, { code: 'wrong-type', detail: 'It must be a whole number.' }],
    [{ odd: 1 }, { code: 'not-valid', detail: 'It is not what is documented.' }]
  ] as const) {
    await app.inject({ method: 'POST', url: '/', payload })
    const { pointer: _, ...found } = refusals.pop()?.options.errors?.[0] ?? { pointer: '' }
    t.strictSame(found, error, JSON.stringify(payload))
  }
  await app.inject({ method: 'POST', url: '/', payload: { either: 1 } })
  for (const { code, detail } of refusals.pop()?.options.errors ?? []) {
    t.equal(code, 'wrong-type')
    t.match(detail, /^It (must be|is not) /)
  }
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

t.test('one of a thing is told in the singular', async t => {
  const { app, refusals } = start(t)
  const properties = { text: { type: 'string', minLength: 1 }, list: { type: 'array', maxItems: 1, items: {} } }
  app.post('/', { schema: { body: { type: 'object', additionalProperties: false, properties } } }, async () => 'fine')
  await app.inject({ method: 'POST', url: '/', payload: { text: '', list: [1, 2] } })
  const details = refusals[0]?.options.errors?.map(({ detail }) => detail) ?? []
  t.ok(details.includes('It must have at least 1 character.'), details.join(' '))
  t.notMatch(details.join(' '), /\b1 \w+s\b/)
})
