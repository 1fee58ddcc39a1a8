// Runs in the process of a program, before it: counts what its replies make there, which is the same on any machine and
// however busy that is, and says where their time goes.
import { createHook } from 'node:async_hooks'
import { writeFileSync } from 'node:fs'
import { type HeapProfiler, Session } from 'node:inspector/promises'
import { performance } from 'node:perf_hooks'
import { answerParent } from './child.ts'

export interface Made {
  /** By the type that Node gives it: PROMISE, Timeout, TickObject… */
  readonly resources: Readonly<Record<string, number>>
  readonly clockReads: number
}

/** A function, or a part of V8, which has no address. */
export interface Frame {
  readonly url: string
  readonly name: string
}

export interface Allocated extends Frame {
  readonly bytes: number
}

/** Processor time as V8 sampled it; of all samples together, idle ones included. */
export interface Spent extends Frame {
  readonly share: number
}

/** A sample in so many bytes: of some thousand replies it tells those of one to a percent. */
const SAMPLED_BYTES = 4096
const SAMPLED_MICROSECONDS = 100

let resources: Record<string, number> = {}
let clockReads = 0
const session = new Session()

const hook = createHook({
  init(_id, type) {
    resources[type] = (resources[type] ?? 0) + 1
  }
})

/** From then on each look costs more: once it is counted, time is no longer measured. */
function watchClocks(): void {
  for (const clock of [performance, Date]) {
    const now = clock.now.bind(clock)
    clock.now = () => {
      clockReads++
      return now()
    }
  }
}

answerParent('', {
  beginCount() {
    resources = {}
    watchClocks()
    clockReads = 0
    hook.enable()
  },
  endCount(): Made {
    hook.disable()
    return { resources, clockReads }
  },

  /** Of what is taken from now on; with `isKept` only what is still held at the end. */
  async beginAllocations({ isKept }: { readonly isKept: boolean }) {
    session.connect()
    await session.post('HeapProfiler.enable')
    await session.post('HeapProfiler.collectGarbage')
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: SAMPLED_BYTES,
      includeObjectsCollectedByMajorGC: !isKept,
      includeObjectsCollectedByMinorGC: !isKept
    })
  },
  async endAllocations(): Promise<readonly Allocated[]> {
    await session.post('HeapProfiler.collectGarbage')
    const { profile } = await session.post('HeapProfiler.stopSampling')
    session.disconnect()
    return [...allocatedBelow(profile.head)]
  },

  async beginProfile() {
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLED_MICROSECONDS })
    await session.post('Profiler.start')
  },
  /** Leaves the profile in a file, for the developer tools of a browser. */
  async endProfile(file: string): Promise<readonly Spent[]> {
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    writeFileSync(file, JSON.stringify(profile))
    const { nodes, samples = [], timeDeltas = [] } = profile
    const times = new Map<number, number>()
    let total = 0
    for (const [index, id] of samples.entries()) {
      const time = timeDeltas[index] ?? 0
      times.set(id, (times.get(id) ?? 0) + time)
      total += time
    }
    return nodes.flatMap(({ id, callFrame: { url, functionName: name } }) => {
      const time = times.get(id)
      return time === undefined ? [] : [{ url, name, share: time / total }]
    })
  }
})

function* allocatedBelow({
  callFrame,
  selfSize,
  children
}: HeapProfiler.SamplingHeapProfileNode): Generator<Allocated> {
  if (selfSize > 0) yield { url: callFrame.url, name: callFrame.functionName, bytes: selfSize }
  for (const child of children) yield* allocatedBelow(child)
}
