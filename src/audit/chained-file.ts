import { hash } from 'node:crypto'
import { type AppendFile, codeOf } from './append-file.ts'
import { Chain, type ChainState, type Seal } from './chain.ts'
import { continued, type Gap, gap, moved } from './lines.ts'

/** What a line says, before it has its place in a chain. */
export interface Entry {
  /** RFC 3339. */
  readonly time: string
  /** Of a JSON object, such as `"kind":"open","pid":1`. */
  readonly members: string
}

export interface Appended {
  /** How many of the entries are in the file, from the first on. */
  readonly taken: number
  /** Why there are not more, where that is a failure: a code of the operating system, or `short-write`. */
  readonly code?: string
}

/** A line that this file makes itself. */
interface OwnEntry extends Entry {
  readonly what: 'continue' | 'gap'
  readonly lost: number
}

const LINE_FEED = 10
const MOST_TORN = 16

/** A chain and the file it is written to: after a failure, and in the next file, it goes on where it is whole. */
export class ChainedFile {
  readonly #file: AppendFile
  readonly #time: () => string
  readonly #chain: Chain
  #gap: { -readonly [member in keyof Gap]: Gap[member] } | undefined
  /** Half a line stands at the end, by this process. */
  #isLineOpen = false
  #mustContinue = false

  constructor(file: AppendFile, options: { readonly id: string; readonly seal: Seal; readonly time: () => string }) {
    this.#file = file
    this.#time = options.time
    this.#chain = new Chain(options.id, options.seal)
  }

  get id(): string {
    return this.#chain.id
  }

  get state(): ChainState {
    return this.#chain.state
  }

  /** Why the next line will be one that says what was missed; undefined where nothing was. */
  get gap(): Gap | undefined {
    return this.#gap
  }

  /** Something went wrong, and `lost` lines are given up for it. */
  noteGap(reason: string, lost = 0): void {
    this.#gap ??= { since: this.#time(), reason, lost: 0, torn: [] }
    this.#gap.reason = reason
    this.#gap.lost += lost
  }

  /** Goes on in a new file where the former one was renamed. The code of what kept it from that; then it stays there. */
  async follow(): Promise<string | undefined> {
    if (!(await this.#file.wasMoved())) return undefined
    const before = this.state
    const bytes = this.#bytesOf([this.#chain.add(this.#time(), moved())])
    const written = await this.#file.append(bytes)
    // Half of it is noise in a file that is not appended to any more; the chain goes on from the line before.
    if (written.bytes < bytes.length) this.#chain.rollBack(before)
    try {
      await this.#file.reopen()
    } catch (error) {
      return codeOf(error)
    }
    this.#isLineOpen = false
    this.#mustContinue = true
    return undefined
  }

  /** Appends as many entries as go there in one piece. */
  async append(entries: readonly Entry[]): Promise<Appended> {
    const own = this.#ownEntries()
    const { lines, states } = this.#seal([...own, ...entries])
    if (lines.length === 0) return { taken: 0 }
    const offset = this.#isLineOpen ? 1 : 0
    const bytes = this.#bytesOf(lines)
    const { bytes: length, code = 'short-write' } = await this.#file.append(bytes)
    if (length > 0) this.#isLineOpen = bytes[length - 1] !== LINE_FEED
    const { whole, end } = wholeLines(lines, offset, length)
    for (const entry of own.slice(0, whole)) this.#noteWritten(entry)
    const taken = Math.max(0, whole - own.length)
    if (length === bytes.length) return { taken }
    const state = states[whole]
    if (state) this.#chain.rollBack(state)
    this.noteGap(code)
    if (length > end) this.#noteTorn(bytes.subarray(end, length))
    return { taken, code }
  }

  /** Resolves with a code where what was appended may not survive the end of the machine. */
  sync(): Promise<string | undefined> {
    return this.#file.sync().then(() => undefined, codeOf)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  #seal(entries: readonly Entry[]): { lines: string[]; states: ChainState[] } {
    const lines: string[] = []
    const states: ChainState[] = []
    let length = 0
    for (const { time, members } of entries) {
      const before = this.state
      const line = this.#chain.add(time, members)
      length += line.length + 1
      if (lines.length > 0 && length > this.#file.longestWriteBytes) {
        this.#chain.rollBack(before)
        break
      }
      states.push(before)
      lines.push(line)
    }
    return { lines, states }
  }

  #ownEntries(): OwnEntry[] {
    const time = this.#time()
    const own: OwnEntry[] = []
    if (this.#mustContinue) own.push({ time, members: continued(this.state), what: 'continue', lost: 0 })
    if (this.#gap) own.push({ time, members: gap(this.#gap), what: 'gap', lost: this.#gap.lost })
    return own
  }

  #noteWritten({ what, lost }: OwnEntry): void {
    if (what === 'continue') this.#mustContinue = false
    // More may have been given up while that was written.
    else if (this.#gap)
      this.#gap = this.#gap.lost > lost ? { ...this.#gap, lost: this.#gap.lost - lost, torn: [] } : undefined
  }

  #noteTorn(bytes: Buffer): void {
    const torn = [...(this.#gap?.torn ?? []), hash('sha256', bytes, 'base64url')]
    if (this.#gap) this.#gap.torn = torn.slice(-MOST_TORN)
  }

  #bytesOf(lines: readonly string[]): Buffer {
    return Buffer.from(`${this.#isLineOpen ? '\n' : ''}${lines.join('\n')}\n`, 'latin1')
  }
}

/** How many of the lines are in the first bytes, and where the last of them ends; one may lack its line break. */
function wholeLines(lines: readonly string[], offset: number, length: number): { whole: number; end: number } {
  let end = offset
  let whole = 0
  for (const line of lines) {
    if (end + line.length > length) break
    end += line.length + 1
    whole++
  }
  return { whole, end }
}
