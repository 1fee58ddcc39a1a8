import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'

/** So many spans were lost; the reason is a code of a socket, a status, or `no-answer`. */
export type OnUnsent = (spans: number, reason: string) => void

type Done = Parameters<SpanExporter['export']>[1]

/** Two of the codes of `ExportResult`; the package that names them is no dependency of ours. */
const FAILED = 1
const CODE = /^[A-Z][A-Z0-9_]{1,63}$/

export interface ToldExporterOptions {
  readonly onUnsent: OnUnsent
  /** The last look at every text of a span. */
  readonly cut: (text: string) => string
}

/** An exporter whose failures are told; nothing of what the receiver wrote is. */
export class ToldExporter implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #onUnsent: OnUnsent
  readonly #cut: (text: string) => string

  constructor(exporter: SpanExporter, { onUnsent, cut }: ToldExporterOptions) {
    this.#exporter = exporter
    this.#onUnsent = onUnsent
    this.#cut = cut
  }

  export(spans: ReadableSpan[], done: Done): void {
    for (const span of spans) cutSpan(span, this.#cut)
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

function cutSpan(span: ReadableSpan, cut: (text: string) => string): void {
  cutTexts(span, cut)
  cutTexts(span.status, cut)
  cutTexts(span.attributes, cut)
  for (const event of span.events) {
    cutTexts(event, cut)
    cutTexts(event.attributes ?? {}, cut)
  }
  for (const { attributes = {} } of span.links) cutTexts(attributes, cut)
}

/** In place: a span is read by its exporter alone from now on. */
function cutTexts(holder: object, cut: (text: string) => string): void {
  for (const [name, value] of Object.entries(holder)) {
    const rest = textsCut(value, cut)
    if (rest !== value) Object.assign(holder, { [name]: rest })
  }
}

function textsCut(value: unknown, cut: (text: string) => string): unknown {
  if (typeof value === 'string') return cut(value)
  if (!Array.isArray(value) || value.every(one => typeof one !== 'string' || cut(one) === one)) return value
  return value.map(one => (typeof one === 'string' ? cut(one) : one))
}

function reasonOf(error: Error | undefined): string {
  const code = error && 'code' in error ? error.code : undefined
  if (typeof code === 'number') return `status-${code}`
  return typeof code === 'string' && CODE.test(code) ? code : 'no-answer'
}
