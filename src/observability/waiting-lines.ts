interface Line {
  readonly text: string
  readonly bytes: number
  readonly isVital: boolean
}

/** Of the most that may wait: after a loss so little must wait before lines are taken again. */
const FLOWS_AGAIN = 0.5

/**
 * Lines of the log that wait to be written, in their order and up to a number of bytes. Where there is no room, lines are
 * lost from there on until half of the room is free again, so that the loss has one place, where it can be told. A vital
 * line is always taken: the oldest of the others go for it, and the oldest vital ones only when there are no others.
 */
export class WaitingLines {
  readonly #maxBytes: number
  readonly #onLoss: (lost: number) => void
  #lines: Line[] = []
  #bytes = 0
  #lost = 0

  /** `onLoss` is told of a loss when it is over; a vital line that it adds stands where the lost ones would. */
  constructor(maxBytes: number, onLoss: (lost: number) => void) {
    this.#maxBytes = maxBytes
    this.#onLoss = onLoss
  }

  get bytes(): number {
    return this.#bytes
  }

  add(text: string, isVital: boolean): void {
    const bytes = Buffer.byteLength(text)
    if (!isVital && (this.#lost > 0 || this.#bytes + bytes > this.#maxBytes)) {
      this.#lost++
      return
    }
    while (this.#lines.length > 0 && this.#bytes + bytes > this.#maxBytes) this.#lose()
    this.#lines.push({ text, bytes, isVital })
    this.#bytes += bytes
  }

  /** Takes the oldest lines: as many whole ones as fit, and at least one. Empty when none waits. */
  take(maxBytes: number): string {
    let taken = 0
    let text = ''
    let bytes = 0
    for (const line of this.#lines) {
      if (taken > 0 && bytes + line.bytes > maxBytes) break
      text += line.text
      bytes += line.bytes
      taken++
    }
    this.#lines = taken === this.#lines.length ? [] : this.#lines.slice(taken)
    this.#bytes -= bytes
    if (this.#bytes <= this.#maxBytes * FLOWS_AGAIN) this.tellLoss()
    return text
  }

  /** Tells of a loss although it may go on: there will be no better time. */
  tellLoss(): void {
    const lost = this.#lost
    this.#lost = 0
    if (lost > 0) this.#onLoss(lost)
  }

  #lose(): void {
    const index = this.#lines.findIndex(({ isVital }) => !isVital)
    const [line] = this.#lines.splice(Math.max(0, index), 1)
    this.#bytes -= line?.bytes ?? 0
    this.#lost++
  }
}
