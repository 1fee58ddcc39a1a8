// No variable of signing in is dropped in silence: each right value of every way to sign in, beside every way, alone and two at
// a time, is refused or changes what is configured.
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { ConfigError, type Environment } from '../../src/config/env-reader.ts'
import { Secret } from '../../src/lib/secret.ts'
import { loadedFrom, problemsOf, SECRET, WAYS } from './ways-to-sign-in.ts'

type Setting = readonly [name: string, value: string]

const settings: readonly Setting[] = Object.values(WAYS)
  .flatMap(way => Object.entries(way).map(([name, value = '']): Setting => [name, value]))
  .filter(([name, value], index, all) => all.findIndex(other => other[0] === name && other[1] === value) === index)

/** What two configurations are compared by; undefined for one that is refused. */
function meaningOf(env: Environment): unknown {
  const loaded = loadedFrom(env)
  return loaded instanceof ConfigError ? undefined : plain(loaded)
}

/** Values with secrets revealed, which no comparison sees into, and without functions, which are new each time. */
function plain(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal()
  if (value instanceof URL || value instanceof RegExp) return String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Set || value instanceof Map) return [...value].map(plain)
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

function pairsOf(settings: readonly Setting[]): (readonly [Setting, Setting])[] {
  return settings.flatMap((first, index) =>
    settings
      .slice(index + 1)
      .filter(([name]) => name !== first[0])
      .map(second => [first, second] as const)
  )
}

for (const [title, way] of Object.entries(WAYS)) {
  t.test(`${title}: what is accepted beside it is not dropped, alone and beside another`, async t => {
    const others = settings.filter(([name, value]) => way[name] !== value)
    const alone = new Map(others.map(setting => [setting, meaningOf({ ...way, ...Object.fromEntries([setting]) })]))
    const base = meaningOf(way)
    for (const [[name], meaning] of alone) {
      if (isDeepStrictEqual(meaning, base)) t.fail(`${name} changes nothing`)
    }
    const accepted = pairsOf(others)
      .map(pair => ({ pair, both: meaningOf({ ...way, ...Object.fromEntries(pair) }) }))
      .filter(({ both }) => both !== undefined)
    for (const { pair, both } of accepted) {
      const isDropped = pair.some(setting => isDeepStrictEqual(alone.get(setting), both))
      if (isDropped) t.fail(`one of these changes nothing: ${pair.map(([name]) => name).join(', ')}`)
    }
    t.ok(accepted.length > 0, `${accepted.length} pairs are accepted`)
  })

  t.test(`${title}: no sentence is said twice, and each names a variable`, async t => {
    for (const [name, value] of settings) {
      const problems = problemsOf({ ...way, [name]: value })
      t.equal(new Set(problems).size, problems.length, problems.join(' '))
      for (const problem of problems) t.match(problem, /\b(AUTH|UID)_[A-Z_]+/, `${name}=${value}`)
    }
  })
}

t.test(
  'keys of two sources are one mistake: algorithms are not complained about, which are right for one of them',
  async t => {
    const published = WAYS['keys of the issuer'] ?? {}
    const file = WAYS['a file of keys'] ?? {}
    const cases: [way: Environment, more: Environment, problem: RegExp][] = [
      [published, { AUTH_JWT_SECRET: SECRET }, /^AUTH_JWT_SECRET and AUTH_JWT_JWKS_URL exclude each other/],
      [published, { AUTH_JWT_SECRET_FILE: '/secret' }, /^AUTH_JWT_SECRET and AUTH_JWT_JWKS_URL exclude each other/],
      [published, { AUTH_JWT_KEY_FILE: '/pem' }, /^AUTH_JWT_KEY_FILE and AUTH_JWT_JWKS_URL exclude each other/],
      [file, { AUTH_JWT_SECRET: SECRET }, /^AUTH_JWT_SECRET and AUTH_JWT_KEY_FILE exclude each other/]
    ]
    for (const [way, more, problem] of cases) {
      const problems = problemsOf({ ...way, ...more })
      t.equal(problems.length, 1, problems.join(' '))
      t.match(problems[0], problem)
    }
  }
)
