import t from 'tap'
import type { AppError } from '../../../src/errors.ts'
import { createHeadCheck } from '../../../src/http/head/header-rules.ts'

const checkHead = createHeadCheck()

/** The code of the refusal, or `fine`. */
function verdict(check: () => void): string {
  try {
    check()
    return 'fine'
  } catch (error) {
    return (error as AppError).code
  }
}

const headOf = (...pairs: readonly string[]): string =>
  verdict(() => checkHead({ httpVersion: '1.1', rawHeaders: ['Host', 'a', ...pairs] }))

t.test('only HTTP/1.1 with one host is read', async t => {
  for (const httpVersion of ['1.0', '2.0', '']) {
    t.equal(
      verdict(() => checkHead({ httpVersion, rawHeaders: ['Host', 'a'] })),
      'malformed-request',
      httpVersion
    )
  }
  t.equal(
    verdict(() => checkHead({ httpVersion: '1.1', rawHeaders: ['Accept', '*/*'] })),
    'malformed-request'
  )
  t.equal(headOf(), 'fine')
  t.equal(headOf('hOST', 'a'), 'malformed-request', 'twice, in two spellings')
})

t.test('names of identity and secrets are refused in every spelling, and no others', async t => {
  for (const name of [
    'apikey',
    'apiKey',
    'API-KEY',
    'a_p_i_k_e_y',
    'onBehalfOf',
    'on-behalf-of',
    'appId',
    'Auth_Token'
  ]) {
    for (const time of ['first', 'second']) t.equal(headOf(name, 'x'), 'reserved-name', `${name}, the ${time} time`)
  }
  for (const name of ['x-api-key', 'apikeys', 'authorization', 'uid', 'sender', 'on.behalf.of', 'onbehalfof\u00e9']) {
    for (const time of ['first', 'second']) t.equal(headOf(name, 'x'), 'fine', `${name}, the ${time} time`)
  }
})

t.test('a header that decides something comes once', async t => {
  for (const name of [
    'content-type',
    'content-length',
    'Origin',
    'Sec-Fetch-Site',
    'Idempotency-Key',
    'X-CSRF',
    'X-Acting-For'
  ]) {
    t.equal(headOf(name, '1'), 'fine', name)
    t.equal(headOf(name, '1', 'accept', '*/*', name.toUpperCase(), '1'), 'malformed-request', `${name} twice`)
  }
  t.equal(headOf('accept', 'a', 'accept', 'b', 'x-forwarded-for', 'a', 'x-forwarded-for', 'b'), 'fine')
})

t.test('of an expectation and a transfer coding only the plain value is met', async t => {
  for (const [name, value, expected] of [
    ['expect', '100-continue', 'fine'],
    ['Expect', '100-Continue', 'fine'],
    ['expect', '200-ok', 'malformed-request'],
    ['expect', '', 'malformed-request'],
    ['transfer-encoding', 'chunked', 'fine'],
    ['transfer-encoding', 'Chunked', 'fine'],
    ['transfer-encoding', 'gzip, chunked', 'malformed-request'],
    ['transfer-encoding', '\u00a0chunked', 'malformed-request']
  ] as const) {
    t.equal(headOf(name, value), expected, `${name}: ${value}`)
  }
})
