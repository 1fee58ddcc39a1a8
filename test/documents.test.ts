import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { VARIABLE_ROWS } from '../src/config/variables.ts'
import { PROBLEMS } from '../src/lib/refusals/problems.ts'
import { VIOLATIONS } from '../src/lib/refusals/violations.ts'
import { ERROR_ROWS } from '../src/upstream/errors/cometchat-errors.ts'

const root = new URL('..', import.meta.url).pathname
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'emulator/README.md',
  'deploy/README.md',
  'packages/client/README.md',
  'packages/plugin/README.md',
  ...markdownIn('docs'),
  ...markdownIn('docs/decisions')
]
const scripts = Object.keys(JSON.parse(read('package.json')).scripts)

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter(name => name.endsWith('.md'))
    .map(name => join(folder, name))
}

t.test('every script that a document names exists', async t => {
  for (const path of documents) {
    for (const [, name = ''] of read(path).matchAll(/npm run (?:-s )?([a-z][a-z:-]*)/g))
      t.ok(scripts.includes(name), `${path}: ${name}`)
  }
})

t.test('every link between documents leads somewhere', async t => {
  for (const path of documents) {
    for (const [, target = ''] of read(path).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      t.ok(existsSync(join(root, dirname(path), target)), `${path}: ${target}`)
    }
  }
})

t.test('every test that the documents of delivery and of apps name exists', async t => {
  for (const path of ['docs/delivery.md', 'docs/apps.md']) {
    const named = [...read(path).matchAll(/`(?:test\/)?([a-z-]+(?:\/[a-z-]+)+\.test\.ts)`/g)].map(
      ([, file = '']) => file
    )
    t.ok(named.length > 0)
    for (const file of named) t.ok(existsSync(join(root, 'test', file)), `${path}: ${file}`)
  }
})

t.test('every test that shows a guarantee of SECURITY.md exists, and shows something', async t => {
  const rows = read('SECURITY.md')
    .split('\n')
    .filter(line => /^\| (?!guarantee|---)/.test(line))
  t.ok(rows.length > 0)
  for (const row of rows) {
    const shownBy = row.split('|').at(-2) ?? ''
    t.match(shownBy, /`(test\/|npm run )/, `something shows: ${row.split('|')[1]}`)
    for (const [, path = ''] of row.matchAll(/`(test\/[^`]*)`/g)) {
      const pattern = path.endsWith('.ts') ? path : `${path}/**/*.test.ts`
      t.ok(globSync(pattern, { cwd: root }).length > 0, path)
    }
  }
})

t.test('the one Node that package.json pins for every machine is the one that runs the tests', async t => {
  const { engines, optionalDependencies } = JSON.parse(read('package.json'))
  const pinned = Object.entries(optionalDependencies).filter(([name]) => name.startsWith('node-'))

  t.ok(pinned.length > 0)
  for (const [name, version] of pinned) t.equal(version, process.versions.node, name)
  t.ok(Number(process.versions.node.split('.')[0]) >= 24, process.versions.node)
  t.match(engines.node, /^>=24\./)
})

t.test('the README has exactly two commands that do all the set-up', async t => {
  t.strictSame(read('README.md').match(/npm ci && npm \w+( \w+)?/g), ['npm ci && npm run demo', 'npm ci && npm test'])
})

t.test('the configuration table is the one of the source', async t => {
  const table = read('README.md').split('## Configuration')[1]?.split('## Operations')[0] ?? ''
  const rows = table.split('\n').filter(line => line.startsWith('| `'))

  t.strictSame(
    rows,
    VARIABLE_ROWS.map(({ names, byDefault, meaning }) =>
      ['', names.map(name => `\`${name}\``).join(', '), byDefault, meaning, ''].join(' | ').replace(/ {2}/, ' ').trim()
    )
  )
})

t.test('docs/problems.md lists every code with its status, whose it is, and what a user is told', async t => {
  const cell = ' \\| ([^|]+)'
  const row = new RegExp(`^\\| \`([a-z-]+)\` \\| (\\d{3}) \\| ([a-z-]+)[^|]* \\| [^|]+${cell}${cell}${cell} \\| `, 'gm')
  const listed = Array.from(read('docs/problems.md').matchAll(row), ([, ...cells]) => cells.map(text => text.trim()))

  t.strictSame(
    listed,
    Object.entries(PROBLEMS).map(([code, { status, delivery, whose, offer, sentence }]) => [
      code,
      String(status),
      delivery,
      whose,
      offer,
      sentence
    ])
  )
})

t.test(
  'docs/problems.md lists what can be wrong with a request, and the codes of CometChat that are shown',
  async t => {
    const section = (title: string): string =>
      read('docs/problems.md').split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
    const rowsOf = (text: string) => Array.from(text.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm), ([, ...cells]) => cells)

    t.strictSame(rowsOf(section('What is wrong with a request')), Object.entries(VIOLATIONS))
    t.strictSame(
      rowsOf(section("CometChat's codes that are shown")),
      [...ERROR_ROWS].filter(([, { isShown }]) => isShown).map(([code, { about }]) => [code, about])
    )
  }
)

t.test('docs/cometchat-facts.md shows every code of CometChat with what becomes of it', async t => {
  const table = read('docs/cometchat-facts.md').split('### 4.4')[1]?.split('## 5.')[0] ?? ''
  const rows = table.matchAll(/^\| `([A-Z_]+)` \| ([a-z]+) \| `([a-z-]+)` \| (yes|no) \|$/gm)

  t.strictSame(
    Array.from(rows, ([, ...cells]) => cells),
    Array.from(ERROR_ROWS, ([code, { about, problem, isShown }]) => [code, about, problem, isShown ? 'yes' : 'no'])
  )
})
