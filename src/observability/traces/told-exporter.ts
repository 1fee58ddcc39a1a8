import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'

/** So many spans were lost; the reason is a code of a socket, a status, or `no-answer`. */
export type OnUnsent = (spans: number, reason: string) => void

type Done = Parameters<SpanExporter['export']>[1]

/** Two of the codes of `ExportResult`; the package that names them is no dependency of ours. */
const FAILED = 1
const CODE = /^[A-Z][A-Z0-9_]{1,63}$/

/** An exporter whose failures are told; nothing of what the receiver wrote is. */
export class ToldExporter implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #onUnsent: OnUnsent

  constructor(exporter: SpanExporter, onUnsent: OnUnsent) {
    this.#exporter = exporter
    this.#onUnsent = onUnsent
  }

  export(spans: ReadableSpan[], done: Done): void {
    this.#exporter.export(spans, result => {
      if (result.code === FAILED) this.#onUnsent(spans.length, reasonOf(result.error))
      done(result)
    })
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.()
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }
}

function reasonOf(error: Error | undefined): string {
  const code = error && 'code' in error ? error.code : undefined
  if (typeof code === 'number') return `status-${code}`
  return typeof code === 'string' && CODE.test(code) ? code : 'no-answer'
}
