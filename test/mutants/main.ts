// Changes the service at random, one place at a time, and runs the tests that execute that place, the nearest first, until
// one fails: a change that no test notices is shown with its line.
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createRandom } from '../../emulator/random.ts'
import { ExecutedPlaces } from './executed.ts'
import { type Mutation, mutationsOf } from './mutations.ts'
import { readTestFiles, type TestFile, testsInProcess, testsOfService } from './reach.ts'
import { copyTree, runTest } from './tree.ts'

const USAGE = `Usage: npm run mutants -- [--seed N] [--count N] [--in PATH] [--fast] [--budget S]

  --seed N    of the sample; it is printed
  --count N   how many mutants; 100 unless given
  --in PATH   only of files whose path contains it
  --fast      without the tests that start the service as a process
  --budget S  how long tests are tried against one mutant, in seconds; 90 unless given
`
const AREAS = 'src/{auth,delivery,upstream,http,routes}/**/*.ts'
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/thread-reply-bff-mutants', import.meta.url))
const ENOUGH = 0.9
/** A mutant that makes a test wait for ever is noticed once the test has taken this and four times its time. */
const PATIENCE_S = 20

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    count: { type: 'string', default: '100' },
    in: { type: 'string', default: '' },
    fast: { type: 'boolean', default: false },
    budget: { type: 'string', default: '90' },
    help: { type: 'boolean', default: false }
  }
})
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
if (values.help) console.log(USAGE)
else {
  const tree = copyTree()
  try {
    process.chdir(tree)
    process.exitCode = await tryMutants(tree)
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
}

async function tryMutants(tree: string): Promise<number> {
  const all = globSync(AREAS)
    .sort()
    .flatMap(file => mutationsOf(file, readFileSync(file, 'utf8')))
  const sample = takeSample(all, Number(values.seed), Number(values.count))
  const tests = readTestFiles().filter(({ startsService }) => !(startsService && values.fast))
  const executed = new ExecutedPlaces(tree, CACHE, all, stopping.signal)
  console.log(`seed ${values.seed}: ${sample.length} mutants`)
  // All of them meet the quick tests before any meets those that start the service.
  let survivors: readonly Mutation[] = sample
  for (const nearest of [testsInProcess, testsOfService]) {
    survivors = await survivorsOf(tree, survivors, mutation => nearest(tests, mutation.file), executed)
  }
  for (const mutation of survivors) console.log(`${describe(mutation)}\n${changeOf(mutation)}`)
  const share = 1 - survivors.length / Math.max(1, sample.length)
  const killed = `${sample.length - survivors.length} of ${sample.length} killed (${(share * 100).toFixed(1)} %)`
  console.log(`seed ${values.seed}: ${killed}${stopping.signal.aborted ? ', stopped before its end' : ''}`)
  return share < ENOUGH ? 1 : 0
}

async function survivorsOf(
  tree: string,
  mutations: readonly Mutation[],
  testsFor: (mutation: Mutation) => readonly TestFile[],
  executed: ExecutedPlaces
): Promise<Mutation[]> {
  const survivors: Mutation[] = []
  for (const [index, mutation] of mutations.entries()) {
    const { killer, met } = stopping.signal.aborted
      ? { met: 0 }
      : await firstKiller(tree, mutation, testsFor(mutation), executed)
    if (killer === undefined) survivors.push(mutation)
    const fate = killer === undefined ? `survived ${met} test files` : `killed by ${killer}`
    console.log(`${index + 1}. ${describe(mutation)}: ${fate}`)
  }
  return survivors
}

function takeSample(all: readonly Mutation[], seed: number, count: number): Mutation[] {
  const random = createRandom(seed)
  const left = all.filter(({ file }) => file.includes(values.in))
  const take = (): Mutation[] => left.splice(Math.floor(random() * left.length), 1)
  return Array.from({ length: Math.min(count, left.length) }, take).flat()
}

/** What first runs of tests take, to learn which places they execute, does not count towards the budget. */
async function firstKiller(
  tree: string,
  mutation: Mutation,
  tests: readonly TestFile[],
  executed: ExecutedPlaces
): Promise<{ killer?: string; met: number }> {
  let leftS = Number(values.budget)
  let met = 0
  for (const test of tests) {
    const { executes, seconds } = await executed.reach(test, mutation)
    if (stopping.signal.aborted || leftS < 0) break
    if (!executes) continue
    met++
    const startedAtMs = performance.now()
    if (await notices(tree, test, mutation, PATIENCE_S + 4 * seconds)) return { killer: test.file, met }
    leftS -= (performance.now() - startedAtMs) / 1000
  }
  return { met }
}

async function notices(tree: string, test: TestFile, mutation: Mutation, withinS: number): Promise<boolean> {
  const { file, start, end, replacement } = mutation
  const source = readFileSync(file, 'utf8')
  const fails = async (): Promise<boolean> => !(await runTest(tree, test.file, stopping.signal, { withinS }))
  writeFileSync(file, source.slice(0, start) + replacement + source.slice(end))
  try {
    // On a busy machine a test of processes may fail by itself: it has noticed only what it notices again.
    return (await fails()) && (!test.startsService || (await fails()))
  } finally {
    writeFileSync(file, source)
  }
}

function describe({ file, start, kind }: Mutation): string {
  return `${file}:${readFileSync(file, 'utf8').slice(0, start).split('\n').length} ${kind}`
}

function changeOf({ file, start, end, replacement }: Mutation): string {
  const source = readFileSync(file, 'utf8')
  const [from, to] = [source.lastIndexOf('\n', start - 1) + 1, source.indexOf('\n', end)]
  const shown = (sign: string, text: string): string => text.replaceAll(/^/gm, `  ${sign} `)
  const after = source.slice(from, start) + replacement + source.slice(end, to)
  return `${shown('-', source.slice(from, to))}\n${shown('+', after)}`
}
