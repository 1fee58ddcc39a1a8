// How far a reply travels: the files and functions of the service that one warm keyed reply enters, and how often.
import { freePort } from '../../test/helpers/free-port.ts'
import { startChild } from '../child.ts'
import type { Entered } from '../coverage-probe.ts'
import type { Section } from '../report.ts'
import { storeUrls } from '../store-urls.ts'
import { untilItAnswers } from '../subjects.ts'
import { LAUNCHER, preload, serviceEnv, type World } from '../world.ts'

/** By then everything that is loaded or made on first use is there. */
const WARM_UP = 50
/** A timer of the service may fall into one of them; the least of all is the reply alone. */
const COUNTED = 5

interface Path {
  readonly files: number
  readonly functions: number
  readonly calls: number
}

export async function countPath(world: World, { stopping }: { readonly stopping: AbortSignal }): Promise<Section> {
  const rows: string[][] = []
  const figures: object[] = []
  for (const [store, url] of await storeUrls(world, 'path')) {
    await using stack = new AsyncDisposableStack()
    const port = await freePort()
    const service = await startChild(stack, {
      name: 'The service whose calls are counted',
      command: [LAUNCHER],
      env: { ...serviceEnv(world), ...preload('coverage-probe.ts'), PORT: String(port), STORE_URL: url }
    })
    await untilItAnswers('The service', port)
    for (let turn = 0; turn < WARM_UP; turn++) {
      stopping.throwIfAborted()
      for (const _ of ['a reply', 'its replay']) await post(world, port, `warm-${turn}`)
    }
    const counted: Entered[][] = []
    const replayed: Entered[][] = []
    for (let turn = 0; turn < COUNTED; turn++) {
      const entered = async (): Promise<Entered[]> => {
        await service.ask('entered')
        await post(world, port, `path-${turn}`)
        return service.ask<Entered[]>('entered')
      }
      counted.push(await entered())
      replayed.push(await entered())
    }
    for (const [what, paths] of [
      ['a reply', counted],
      ['its replay', replayed]
    ] as const) {
      const { files, functions, calls } = shortest(paths)
      rows.push([store, what, ...[files, functions, calls].map(String)])
      figures.push({ store, what, files, functions, calls, entered: paths.at(-1) })
    }
  }
  return {
    name: 'path',
    title: 'The path of a reply',
    note: 'Files and functions of the service that one warm keyed reply enters, and its calls, counted inside the process by V8’s precise coverage; accessors and callbacks count, what runs once at the start does not.',
    head: ['store', '', 'files', 'functions', 'calls'],
    rows,
    figures
  }
}

async function post({ plan }: World, port: number, key: string): Promise<void> {
  if ('count' in plan.users) throw new Error('it takes users with a token each')
  const answer = await fetch(`http://127.0.0.1:${port}${plan.path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${plan.users[0]?.token}`,
      'content-type': 'application/json',
      'idempotency-key': key
    },
    body: plan.body
  })
  await answer.arrayBuffer()
  if (answer.status !== 201)
    throw new Error(`a reply was answered with ${answer.status}: the count would be of a refusal`)
}

function shortest(paths: readonly (readonly Entered[])[]): Path {
  const counts = paths.map(entered => ({
    files: new Set(entered.map(({ file }) => file)).size,
    functions: entered.length,
    calls: entered.reduce((sum, { calls }) => sum + calls, 0)
  }))
  return counts.reduce((least, count) => (count.functions < least.functions ? count : least))
}
