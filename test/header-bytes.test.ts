// Header bytes come as latin1: to `trim` and `\s` U+00A0 is a blank, to browsers and other servers it is part of a name.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const root = new URL('../src/', import.meta.url).pathname

/** What JavaScript does in Unicode. `i` beside `u` or `v` folds U+017F to `s` and U+212A to `k`. */
const UNICODE_WIDE =
  /\.trim(?:Start|End)?\(|\.to(?:Locale)?(?:Lower|Upper)Case\(|\.normalize\(|localeCompare\(|\\[sS]|\/[gmsy]*(?:i[gmsy]*[uv]|[uv][gmsy]*i)[gmsy]*[,;).\s]|new RegExp\(/
const READS_HEADERS = /rawHeaders|headers\b|[cC]ookie/

/** Files that may think in Unicode, and of what: none of it is a header. */
const NOT_OF_HEADERS: Readonly<Record<string, string>> = {
  'config/': 'the environment and the files that it names',
  'delivery/stores/postgres/greeting.ts': 'a setting of Postgres',
  'http/guard/reserved-members.ts': 'members of the body, and only to refuse more of them',
  'lib/ascii.ts': 'lower-cases what a pattern found to be A to Z',
  'lib/claims.ts': 'variables that demand claims',
  'lib/service/keys/key-file.ts': 'a file of keys',
  'lib/service/keys/shared-secrets.ts': 'a file of secrets',
  'lib/service/store-address.ts': 'the address of a store',
  'lib/service/uid-table.ts': "lines of the app's own file",
  'lib/tripwire/secret-scan.ts': 'secrets, and only to find them in more spellings',
  'lib/tripwire/secret-spellings.ts': 'secrets, and only to find them in more spellings',
  'login/return-path.ts': 'a path, and only to refuse more of them',
  'parts/data-directory.ts': 'a file that holds a secret',
  'routes/openapi/reply-kinds.ts': 'patterns for addresses in the body',
  'routes/reply-rules.ts': 'mentions in a text, addresses in the body',
  'upstream/users/users.ts': 'a name that people read'
}

function codeOf(path: string): string {
  const lines = readFileSync(join(root, path), 'utf8').split('\n')
  return lines.filter(line => !/^\s*(?:\/\/|\/?\*)/.test(line)).join('\n')
}

const files = globSync('**/*.ts', { cwd: root })
const exemptionOf = (path: string): string | undefined =>
  Object.keys(NOT_OF_HEADERS).find(place => path === place || (place.endsWith('/') && path.startsWith(place)))

t.test('no Unicode-wide function meets a header: SP and HTAB are the blanks, A to Z the letters', async t => {
  for (const path of files.filter(path => exemptionOf(path) === undefined)) {
    const found = UNICODE_WIDE.exec(codeOf(path))?.[0]
    t.equal(found, undefined, `${path}: take lib/ascii.ts, or say in NOT_OF_HEADERS what this is about`)
  }
})

t.test('whoever is exempt needs it, and reads no header', async t => {
  for (const place of Object.keys(NOT_OF_HEADERS)) {
    const exempt = files.filter(path => exemptionOf(path) === place)
    t.ok(
      exempt.some(path => UNICODE_WIDE.test(codeOf(path))),
      `${place} needs its exemption`
    )
    if (place === 'config/') continue
    for (const path of exempt) t.notMatch(codeOf(path), READS_HEADERS, `${path} reads no header`)
  }
})

t.test('the search finds what it is for', async t => {
  for (const code of [
    'x.trim()',
    'x.split(/\\s/)',
    'x.toLowerCase()',
    '/a/iu.test(x)',
    '/a/vi.test(x)',
    "'^\\\\S+$'"
  ]) {
    t.match(code, UNICODE_WIDE, code)
  }
  for (const code of ['trimBlanks(x)', 'asciiLowerCase(x)', '/^bearer +/i.exec(x)', "import a from './uid/uid.ts'"]) {
    t.notMatch(code, UNICODE_WIDE, code)
  }
})
