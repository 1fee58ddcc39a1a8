import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { type Family, gauge } from './family.ts'

export interface ProcessMetricsOptions {
  readonly version: string
  /** The commit it was built from, as the image says it. */
  readonly commit: string
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
}

const RESOLUTION_MS = 20
/** Scrapers that come closer together are told about the same time: one must not take it from the other. */
const MIN_WINDOW_MS = 5000

/** What this process uses, and how late its event loop is. */
export class ProcessMetrics {
  readonly #options: ProcessMetricsOptions
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  readonly #startedAtSeconds = Date.now() / 1000 - process.uptime()
  #windowBeganAtMs: number
  #delays: readonly Family[]

  constructor(options: ProcessMetricsOptions) {
    this.#options = options
    this.#windowBeganAtMs = options.monotonic()
    this.#delay.enable()
    this.#delays = this.#readDelays()
  }

  close(): void {
    this.#delay.disable()
  }

  families(): Family[] {
    const { version, commit } = this.#options
    return [
      gauge('build_info', 'Which version runs.', [{ labels: { version, commit }, value: 1 }]),
      ...this.#eventLoop(),
      ...memory(),
      gauge('process_start_time_seconds', 'When the process began, in seconds since 1970.', this.#startedAtSeconds),
      cpu()
    ]
  }

  #eventLoop(): Family[] {
    const { active, idle } = performance.eventLoopUtilization()
    const time: Family = {
      name: 'nodejs_eventloop_time_seconds_total',
      help: 'How long the event loop was busy, and how long it waited.',
      type: 'counter',
      samples: [
        { labels: { nodejs_eventloop_state: 'active' }, value: active / 1000 },
        { labels: { nodejs_eventloop_state: 'idle' }, value: idle / 1000 }
      ]
    }
    return [...this.#delayOfWindow(), time]
  }

  #delayOfWindow(): readonly Family[] {
    const nowMs = this.#options.monotonic()
    const isOver = nowMs - this.#windowBeganAtMs >= MIN_WINDOW_MS
    if (this.#delay.count > 0) this.#delays = this.#readDelays()
    if (isOver) {
      this.#delay.reset()
      this.#windowBeganAtMs = nowMs
    }
    return this.#delays
  }

  #readDelays(): Family[] {
    const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) / 1000
    return [
      ...([50, 90, 99] as const).map(percentile =>
        gauge(
          `nodejs_eventloop_delay_p${percentile}_seconds`,
          `The delay of the event loop that ${percentile} % of its turns stayed below, since the former scrape.`,
          seconds(this.#delay.percentile(percentile))
        )
      ),
      gauge(
        'nodejs_eventloop_delay_max_seconds',
        'The longest delay since the former scrape.',
        seconds(this.#delay.max)
      )
    ]
  }
}

function memory(): Family[] {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  return [
    gauge('process_resident_memory_bytes', 'Memory of the process.', rss),
    gauge('nodejs_heap_size_used_bytes', 'What objects of JavaScript take.', heapUsed),
    gauge('nodejs_heap_size_total_bytes', 'What V8 holds for them.', heapTotal),
    gauge('nodejs_heap_size_limit_bytes', 'What V8 may hold at most.', getHeapStatistics().heap_size_limit),
    gauge('nodejs_external_memory_bytes', 'What buffers take outside of the heap.', external)
  ]
}

function cpu(): Family {
  const { user, system } = process.cpuUsage()
  return {
    name: 'process_cpu_seconds_total',
    help: 'Processor time of the process.',
    type: 'counter',
    samples: [{ labels: {}, value: (user + system) / 1e6 }]
  }
}
