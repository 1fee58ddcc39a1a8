// docs/architecture.md and docs/glossary.md against the folders: a stranger finds every room, and no room is missing.
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const text = readFileSync(new URL('../docs/architecture.md', import.meta.url), 'utf8')
const glossary = readFileSync(new URL('../docs/glossary.md', import.meta.url), 'utf8')
const MOST_LOOSE_FILES = 4
/** Beside its rooms. */
const MOST_FILES = 14
const MOST_TERMS = 30

/** Every folder of src that holds files. */
const folders = [...new Set(globSync('src/**/*.ts', { cwd: ROOT }).map(path => path.replace(/[^/]+$/, '')))].sort()

t.test('the tree has a row for every folder, and for no other', async t => {
  const rows = Array.from(text.matchAll(/^\| \d \| `([^`]+)` \|/gm), ([, folder = '']) => folder)

  t.strictSame(
    rows.sort(),
    folders.filter(folder => folder !== 'src/')
  )
})

t.test('every file and folder that it names exists', async t => {
  const named = new Set(
    Array.from(text.matchAll(/`((?:src|bin|docs|test|emulator|demo|bench)\/[^`*]*)`/g), ([, path = '']) => path)
  )

  t.ok(named.size > folders.length)
  for (const path of named) t.ok(existsSync(`${ROOT}/${path}`), path)
  const steps = text.split('## The life of a request')[1] ?? ''
  for (const [, path = ''] of steps.matchAll(/`([a-z-]+\/[\w/.-]*)`/g)) {
    t.ok(existsSync(`${ROOT}/${path.startsWith('src/') ? path : `src/${path}`}`), path)
  }
})

t.test('few files are loose, and no folder holds more than fit on a screen', async t => {
  for (const folder of folders) {
    const files = readdirSync(`${ROOT}/${folder}`, { withFileTypes: true }).filter(entry => entry.isFile())
    t.ok(files.length <= (folder === 'src/' ? MOST_LOOSE_FILES : MOST_FILES), `${folder}: ${files.length}`)
  }
})

t.test('test/README.md has a row for every room of acceptance, and for no other', async t => {
  const page = readFileSync(new URL('README.md', import.meta.url), 'utf8').split('## Rooms of acceptance')[1] ?? ''
  const rows = Array.from(page.split('## ')[0]?.matchAll(/^\| `([a-z-]+)\/` \|/gm) ?? [], ([, room = '']) => room)

  t.strictSame(rows.sort(), readdirSync(`${ROOT}/test/acceptance`).sort())
})

t.test('"where do I put" answers ten likely changes', async t => {
  const answers = text.split('## Where do I put')[1]?.split('## ')[0] ?? ''

  t.ok(answers.split('\n').filter(line => /^\| (?!what|---)/.test(line)).length >= 10)
})

t.test('the glossary has one line a term, in order, and few of them', async t => {
  const terms = Array.from(glossary.matchAll(/^\| (?!word|---)([^|]+?) \|/gm), ([, term = '']) => term)

  t.ok(terms.length > 10 && terms.length <= MOST_TERMS, `${terms.length}`)
  t.strictSame(terms, [...terms].sort())
  t.equal(new Set(terms).size, terms.length)
})
