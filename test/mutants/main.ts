// Changes the service at random, one place at a time, and runs the tests that execute that place: a change that no test
// notices is shown with its line.
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createRandom } from '../../emulator/random.ts'
import { executedPlaces } from './coverage.ts'
import { type Mutation, mutationsOf } from './mutations.ts'
import { readTestFiles, type TestFile } from './reach.ts'
import { copyTree, passes } from './tree.ts'

const USAGE = `Usage: npm run mutants -- [--seed N] [--count N] [--in PATH] [--fast]

  --seed N    of the sample; it is printed
  --count N   how many mutants; 100 unless given
  --in PATH   only of files whose path contains it
  --fast      without the tests that start the service as a process
`
const AREAS = 'src/{auth,delivery,upstream,http,routes}/**/*.ts'
const ENOUGH = 0.9

interface Candidate {
  readonly test: TestFile
  readonly seconds: number
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    count: { type: 'string', default: '100' },
    in: { type: 'string', default: '' },
    fast: { type: 'boolean', default: false },
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
  const sample = takeSample(Number(values.seed), Number(values.count))
  console.log(`seed ${values.seed}: ${sample.length} mutants`)
  const candidates = await findCandidates(tree, sample)
  const survivors: Mutation[] = []
  let tried = 0
  for (const mutation of sample) {
    const killer = await firstKiller(tree, mutation, candidates.get(mutation) ?? [])
    if (stopping.signal.aborted) break
    if (killer === undefined) survivors.push(mutation)
    console.log(`${++tried}. ${describe(mutation)}: ${killer === undefined ? 'SURVIVED' : `killed by ${killer}`}`)
    if (killer === undefined) console.log(changeOf(mutation))
  }
  const share = (tried - survivors.length) / Math.max(1, tried)
  console.log(`seed ${values.seed}: ${tried - survivors.length} of ${tried} killed (${(share * 100).toFixed(1)} %)`)
  return share < ENOUGH ? 1 : 0
}

function takeSample(seed: number, count: number): Mutation[] {
  const random = createRandom(seed)
  const all = globSync(AREAS)
    .sort()
    .filter(file => file.includes(values.in))
    .flatMap(file => mutationsOf(file, readFileSync(file, 'utf8')))
  const take = (): Mutation[] => all.splice(Math.floor(random() * all.length), 1)
  return Array.from({ length: Math.min(count, all.length) }, take).flat()
}

/** Every test runs once on the sound tree: that says which mutants it can notice. One that fails there says nothing. */
async function findCandidates(tree: string, sample: readonly Mutation[]): Promise<Map<Mutation, Candidate[]>> {
  const files = new Set(sample.map(({ file }) => file))
  const tests = readTestFiles().filter(
    ({ startsService, distances }) =>
      (startsService && !values.fast) || [...files].some(file => distances.has(file) && !startsService)
  )
  const candidates = new Map<Mutation, Candidate[]>()
  for (const test of tests) {
    const counted = mkdtempSync(join(tmpdir(), 'executed-'))
    const startedAtMs = performance.now()
    const isSound = await passes(tree, test.file, stopping.signal, {
      NODE_V8_COVERAGE: counted,
      NODE_DISABLE_COMPILE_CACHE: '1'
    })
    const seconds = (performance.now() - startedAtMs) / 1000
    if (stopping.signal.aborted) return candidates
    if (!isSound) console.log(`# ${test.file} fails on the tree as it is, and is left out`)
    for (const mutation of isSound ? executedPlaces(counted, tree, sample) : []) {
      candidates.set(mutation, [...(candidates.get(mutation) ?? []), { test, seconds }])
    }
    rmSync(counted, { recursive: true, force: true })
  }
  return candidates
}

async function firstKiller(tree: string, mutation: Mutation, candidates: readonly Candidate[]) {
  const { file, start, end, replacement } = mutation
  const source = readFileSync(file, 'utf8')
  // The nearest first: a test of the file itself, then of what uses it, then of the whole service.
  const cost = ({ test, seconds }: Candidate): number =>
    seconds + 10 * Math.min(test.distances.get(file) ?? 10, test.startsService ? 10 : 9)
  writeFileSync(file, source.slice(0, start) + replacement + source.slice(end))
  try {
    for (const { test } of [...candidates].sort((a, b) => cost(a) - cost(b))) {
      if (stopping.signal.aborted) return undefined
      if (await passes(tree, test.file, stopping.signal)) continue
      // On a busy machine a test of processes may fail by itself: it has noticed only what it notices again.
      if (!test.startsService || !(await passes(tree, test.file, stopping.signal))) return test.file
    }
    return undefined
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
