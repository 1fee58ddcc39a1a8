import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { AppError } from '../../../src/errors.ts'
import { checkContent } from '../../../src/http/head/content-rules.ts'
import { fastestMs } from '../../helpers/fastest.ts'

/** The code of the refusal, or `fine`. */
function verdict(headers: Record<string, string>, method = 'POST', needsNoBody = false): string {
  try {
    checkContent({ method, headers, routeOptions: { config: { needsNoBody } } as FastifyRequest['routeOptions'] })
    return 'fine'
  } catch (error) {
    return (error as AppError).code
  }
}

t.test('JSON in UTF-8 is read as clients announce it', async t => {
  for (const type of [
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json \t; charset="utf-8"',
    "application/json; charset='utf-8'",
    'application/json; charset=utf8',
    'application/json; charset="UTF8"',
    'application/json;',
    'application/json ; ;',
    'application/json; charset=utf-8;',
    'application/json; odata.metadata=minimal; charset=utf-8',
    'application/json; profile="https://a.example/b;charset=latin1"; v=1',
    'application/json; charset=utf-8; charset=utf8'
  ]) {
    t.equal(verdict({ 'content-type': type }), 'fine', type)
    t.equal(verdict({ 'content-type': type, 'content-encoding': 'Identity' }), 'fine', type)
  }
})

t.test('everything else is refused', async t => {
  for (const type of [
    '',
    'text/plain',
    'application/json-patch+json',
    'application/json; charset=latin1',
    "application/json; charset='latin1'",
    'application/json; charset="utf-8\'',
    'application/json; charset=',
    'application/json; charset',
    'application/json; v=1; charset=utf-16',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; a="b',
    'application/json\u00a0; charset=utf-8',
    'text/plain; application/json',
    'application/json, text/plain',
    'application/json; charset=utf-8, text/plain'
  ]) {
    t.equal(verdict({ 'content-type': type }), 'unsupported-media-type', type)
  }
  t.equal(verdict({}), 'unsupported-media-type')
  for (const coding of ['gzip', 'identity, gzip', 'identity, identity', '', '*']) {
    t.equal(
      verdict({ 'content-type': 'application/json', 'content-encoding': coding }),
      'unsupported-media-type',
      coding
    )
  }
})

t.test('sixteen kibibytes of a content type cost no more than their length', async t => {
  for (const type of [
    ';'.repeat(16_000),
    `${'; a=b'.repeat(3000)};=`,
    `; ${'a'.repeat(16_000)}`,
    `; a="${'\\'.repeat(16_000)}`
  ]) {
    const leastMs = await fastestMs(() => verdict({ 'content-type': `application/json${type}` }), 10)
    t.ok(leastMs < 100, `${Math.round(leastMs)} ms`)
  }
})

t.test('a body is asked for what it is where one is read', async t => {
  for (const [method, headers, isAsked] of [
    ['GET', {}, false],
    ['HEAD', {}, false],
    ['GET', { 'content-type': 'text/plain', 'content-length': '3' }, false],
    ['POST', {}, true],
    ['PATCH', { 'content-length': '0' }, true],
    ['DELETE', {}, false],
    ['DELETE', { 'content-length': '0' }, false],
    ['DELETE', { 'content-length': '2' }, true],
    ['DELETE', { 'transfer-encoding': 'chunked' }, true],
    ['DELETE', { 'content-type': 'text/plain' }, true]
  ] as const) {
    const expected = isAsked ? 'unsupported-media-type' : 'fine'
    t.equal(verdict(headers, method), expected, `${method} ${JSON.stringify(headers)}`)
  }
  t.equal(verdict({}, 'POST', true), 'fine', 'a route that needs no body')
  t.equal(verdict({ 'content-length': '2' }, 'POST', true), 'unsupported-media-type')
})
