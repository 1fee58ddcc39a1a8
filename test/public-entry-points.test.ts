// A package is imported as it offers itself: what lies behind its entry points may change with any release.
import { globSync, readFileSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import t from 'tap'

const root = new URL('..', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const IMPORT = /(?:from|import\()\s*'((?:@[\w-]+\/)?[a-z][\w.-]*)((?:\/[\w./-]+)?)'/g

/** Whether a package declares this way into it; one without a declaration has its name only. */
function offers(name: string, inside: string): boolean {
  const { exports } = JSON.parse(read(`node_modules/${name}/package.json`)) as { exports?: Record<string, unknown> }
  const ways = Object.keys(exports ?? { '.': '' })
  return ways.some(way => matchesGlob(`.${inside}`, way))
}

t.test('every package is imported by a public entry point', async t => {
  const seen = new Set<string>()
  for (const file of globSync('src/**/*.{ts,js}', { cwd: root.pathname })) {
    for (const [, name = '', inside = ''] of read(file).matchAll(IMPORT)) {
      seen.add(name)
      t.ok(offers(name, inside), `${file}: ${name}${inside}`)
    }
  }
  for (const name of ['undici', 'fastify', 'jose', '@sinclair/typebox']) t.ok(seen.has(name), `${name} was looked at`)
  t.notOk(offers('undici', '/lib/dispatcher/pool.js'))
})
