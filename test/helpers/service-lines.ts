export interface LogLine {
  readonly [field: string]: unknown
}

const LINE_WITHIN_MS = 30_000

/** What a service writes, as it comes. */
export class ServiceLines {
  /** Every line of standard output, as text. */
  readonly output: string[] = []
  /** Everything on standard error. */
  readonly errors: string[] = []
  readonly #parsed: LogLine[] = []
  readonly #waiting = new Set<{ look(lines: readonly LogLine[]): void; fail(reason: string): void }>()
  #end: string | undefined

  add(text: string): void {
    this.output.push(text)
    const lines = parseLine(text)
    this.#parsed.push(...lines)
    for (const { look } of this.#waiting) look(lines)
  }

  /** No line comes any more. */
  end(reason: string): void {
    this.#end = reason
    for (const { fail } of this.#waiting) fail(reason)
  }

  logLines(): LogLine[] {
    return [...this.#parsed]
  }

  /** Resolves with the first log line that fits, also one that comes later; rejects after the given time. */
  lineWhere(fits: (line: LogLine) => boolean, timeoutMs = LINE_WITHIN_MS): Promise<LogLine> {
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>()
    const done = (): void => {
      clearTimeout(timer)
      this.#waiting.delete(waiting)
    }
    const waiting = {
      look(lines: readonly LogLine[]): void {
        const line = lines.find(fits)
        if (!line) return
        done()
        resolve(line)
      },
      fail: (reason: string): void => {
        done()
        reject(new Error(`${reason}; output: ${this.output.join('\n')} ${this.errors.join('')}`))
      }
    }
    const timer = setTimeout(() => waiting.fail('no such line in time'), timeoutMs)
    this.#waiting.add(waiting)
    waiting.look(this.#parsed)
    if (this.#end !== undefined) waiting.fail(this.#end)
    return promise
  }
}

function parseLine(text: string): LogLine[] {
  try {
    return [JSON.parse(text) as LogLine]
  } catch {
    return []
  }
}
