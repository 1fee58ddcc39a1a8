import fc from 'fast-check'
import t from 'tap'
import { returnUrl } from '../../src/login/return-path.ts'

const ORIGIN = 'https://chat.example.com'

t.test('a path of this origin is kept, with query and fragment', async t => {
  for (const path of [
    '/',
    '/app',
    '/app/?a=1&b=%20#top',
    '/#/route',
    '/a/../b',
    '/authors',
    '/@me',
    '/a:b',
    '/?next=https://x.test'
  ]) {
    t.equal(returnUrl(path, ORIGIN), new URL(path, ORIGIN).href, path)
  }
})

t.test('what could lead elsewhere, or back here for ever, is no path', async t => {
  const corpus: readonly unknown[] = [
    undefined,
    null,
    7,
    ['/'],
    '',
    ' ',
    ' /',
    'app',
    './app',
    '?a',
    '#a',
    '//evil.test',
    '///evil.test',
    '////evil.test',
    '/\\evil.test',
    '\\/evil.test',
    '/\\/evil.test',
    '\\\\evil.test',
    '/\tevil.test',
    '/\t/evil.test',
    '/\n/evil.test',
    '/\r\n/evil.test',
    '/\0/evil.test',
    '\t//evil.test',
    'https://evil.test',
    'https:evil.test',
    'https:/evil.test',
    'HTTPS://evil.test',
    'http://chat.example.com@evil.test',
    'javascript:alert(1)',
    'data:text/html,x',
    'evil.test',
    '/é',
    '/\u2028x',
    '/\uff0fevil.test',
    '/"onmouseover=',
    "/'x",
    '/<script>',
    '/`x',
    '/a b',
    '/{x}',
    '/|x',
    '/^x',
    `/${'a'.repeat(512)}`,
    '/auth',
    '/auth/',
    '/auth/login',
    '/AUTH/login',
    '/auth?x',
    '/auth#x',
    '/%61uth/login',
    '/x/../auth/login',
    '/auth%2Flogin',
    '/%'
  ]

  for (const path of corpus) t.equal(returnUrl(path, ORIGIN), undefined, encodeURIComponent(String(path)))
})

t.test('whatever is let through stays on the origin, for every spelling', async t => {
  const parts = fc.constantFrom(
    '/',
    '\\',
    '//',
    '@',
    ':',
    '?',
    '#',
    '%2f',
    '%5c',
    '.',
    '..',
    '\t',
    'evil.test',
    'http:',
    'a'
  )
  const paths = fc.oneof(
    fc.array(parts, { maxLength: 8 }).map(all => all.join('')),
    fc.array(parts, { maxLength: 8 }).map(all => `/${all.join('')}`),
    fc.webUrl(),
    fc.string().map(text => `/${text}`)
  )
  fc.assert(
    fc.property(paths, path => {
      const url = returnUrl(path, ORIGIN)
      return url === undefined || (url.startsWith(`${ORIGIN}/`) && new URL(url).host === 'chat.example.com')
    }),
    { numRuns: 1000 }
  )
  t.pass('property')
})
