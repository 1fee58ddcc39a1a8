import { type TSchema, Type } from '@sinclair/typebox'
import t from 'tap'
import { createStrictCompiler, OneOf, StrictObject } from '../../../src/http/guard/strict-schemas.ts'

const compile = (schema: unknown) =>
  createStrictCompiler()({ schema: schema as TSchema, method: 'POST', url: '/later', httpPart: 'body' })

t.test('a strict object has its members and no others', async t => {
  const fits = compile(
    StrictObject({ a: Type.Integer(), kind: Type.Optional(OneOf(['x', 'y'])) }, { minProperties: 1 })
  )

  for (const value of [{ a: 1 }, { a: 1, kind: 'y' }]) t.equal(fits(value), true, JSON.stringify(value))
  for (const value of [{}, { a: '1' }, { a: 1, kind: 'z' }, { a: 1, b: 1 }, [], null]) {
    t.equal(fits(value), false, JSON.stringify(value))
  }
})

t.test('nothing is coerced or taken out, and defaults are filled in', async t => {
  const fits = compile(
    StrictObject({ n: Type.Integer({ default: 1 }), list: Type.Optional(Type.Array(Type.String())) })
  )
  const bodies = [{}, { n: '2' }, { list: 'x' }, { n: 2, more: 1 }]

  t.same(
    bodies.map(body => fits(body)),
    [true, false, false, false]
  )
  t.same(bodies, [{ n: 1 }, { n: '2' }, { n: 1, list: 'x' }, { n: 2, more: 1 }])
})

t.test('a schema says of every object that names members whether it may have others', async t => {
  const open = { type: 'object', properties: { a: { type: 'string' } } }
  const closed = { ...open, additionalProperties: false }
  for (const [schema, place] of [
    [open, ''],
    [{ ...closed, properties: { a: open } }, '/properties/a'],
    [{ type: 'object', patternProperties: { '^x': open } }, '/patternProperties/^x'],
    [{ type: 'object', additionalProperties: open }, '/additionalProperties'],
    [{ type: 'array', items: open }, '/items'],
    [{ anyOf: [closed, open] }, '/anyOf/1'],
    [{ oneOf: [{ type: 'array', items: open }] }, '/oneOf/0/items'],
    [{ allOf: [open] }, '/allOf/0'],
    [{ not: open }, '/not']
  ] as const) {
    t.throws(() => compile(schema), {
      message: `POST /later: the schema of body${place} has to say additionalProperties.`
    })
  }
  for (const schema of [
    {},
    { type: 'object' },
    closed,
    { ...open, additionalProperties: true },
    { ...closed, properties: { properties: { type: 'object' }, items: { type: 'string' } } }
  ]) {
    t.doesNotThrow(() => compile(schema), JSON.stringify(schema))
  }
})
