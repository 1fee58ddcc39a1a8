import type { Attributes, Tracer } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider
} from '@opentelemetry/sdk-trace'
import { createDeferred } from '../../lib/node20/deferred.ts'
import { VERSION } from '../../lib/service/version.ts'
import { PooledIds } from './pooled-ids.ts'
import { type OnUnsent, ToldExporter } from './told-exporter.ts'

/** Where spans go, and which. */
export interface TracerOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly compression: 'none' | 'gzip'
  readonly sampler: string
  readonly ratio: number
  readonly resource: Attributes
  /** The proxy that calls to the receiver go through. */
  readonly proxy: URL | undefined
  /** Told of spans that were lost. */
  readonly onUnsent: OnUnsent
  /** The last look at every text of a span. */
  readonly cut: (text: string) => string
}

export interface RunningTracer {
  readonly tracer: Tracer
  /** Sends what there is; resolves after that, and at the latest after 2 s. Whatever is not sent by then is lost. */
  close(): Promise<void>
}

const FLUSH_MS = 2000
/** They are written as JSON at once: more would hold up the event loop for milliseconds. */
const MAX_BATCH = 128
const BATCH_EVERY_MS = 1000

/** The SDK, which is loaded with this module: nothing imports it where there are no traces. */
export async function startTracer(options: TracerOptions): Promise<RunningTracer> {
  const { url, headers, timeoutMs, compression, proxy } = options
  const { Agent } = await (url.startsWith('https:') ? import('node:https') : import('node:http'))
  const agent = new Agent({
    keepAlive: true,
    ...(proxy && { proxyEnv: { HTTP_PROXY: proxy.href, HTTPS_PROXY: proxy.href } })
  })
  const exporter = new OTLPTraceExporter({
    url,
    headers: { ...headers },
    timeoutMillis: timeoutMs,
    // The type is an enum that the package does not export.
    compression: compression as never,
    httpAgentOptions: () => agent
  })
  const processor = new BatchSpanProcessor({
    exporter: new ToldExporter(exporter, options),
    maxExportBatchSize: MAX_BATCH,
    scheduledDelayMillis: BATCH_EVERY_MS
  })
  const provider = new TracerProvider({
    sampler: samplerOf(options),
    spanProcessors: [processor],
    idGenerator: new PooledIds(),
    resource: defaultResource().merge(resourceFromAttributes(options.resource))
  })
  return {
    tracer: provider.getTracer('thread-reply-bff', VERSION),
    async close() {
      const { promise: late, resolve } = createDeferred<void>()
      const timer = setTimeout(resolve, FLUSH_MS)
      await Promise.race([provider.shutdown().catch(() => undefined), late])
      clearTimeout(timer)
      agent.destroy()
    }
  }
}

/** The samplers of the specification, by their names in OTEL_TRACES_SAMPLER. */
function samplerOf({ sampler, ratio }: Pick<TracerOptions, 'sampler' | 'ratio'>): Sampler {
  const root = rootSampler(sampler.replace('parentbased_', ''), ratio)
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}

function rootSampler(name: string, ratio: number): Sampler {
  if (name === 'always_off') return new AlwaysOffSampler()
  return name === 'traceidratio' ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler()
}
