// Whether the lines of audit files are all there, unchanged and in order. It knows neither files nor the process.
import { hash } from 'node:crypto'
import { type AuditLine, claimOf, LINE_START, macOf, readLine, type Seal } from './chain.ts'
import { type Anchor, type Break, type Place, ReadChain } from './read-chain.ts'

export interface Verdict {
  readonly lines: number
  readonly chains: number
  readonly breaks: readonly Break[]
  /** Chains without an end: of a process that was killed, or runs still. */
  readonly unfinished: readonly string[]
}

interface Fragment {
  readonly place: Place
  readonly text: string
}

/** A file is left within a second, and then the log is written. */
const TOLD_WITHIN_MS = 2000
/** Takes lines in the order of the files, and says at the end what is wrong with them. */
export class Verifier {
  readonly #seals: readonly Seal[]
  readonly #anchors = new Map<string, Map<number, Anchor>>()
  readonly #chains = new Map<string, ReadChain>()
  readonly #breaks: Break[] = []
  readonly #fragments: Fragment[] = []
  readonly #torn = new Set<string>()
  readonly #blanks: Place[] = []
  #lines = 0
  #tornLines = 0
  #firstTime: string | undefined
  #lastTime = ''

  constructor(seals: readonly Seal[], anchors: readonly Anchor[] = []) {
    this.#seals = seals
    for (const anchor of anchors) {
      const ofChain = this.#anchors.get(anchor.chain) ?? new Map<number, Anchor>()
      ofChain.set(anchor.count, anchor)
      this.#anchors.set(anchor.chain, ofChain)
    }
  }

  /** One line without its line break, with one character a byte; `isEnded` is false for a last line that has none. */
  take(text: string, place: Place, isEnded = true): void {
    if (text === '') return void this.#blanks.push(place)
    // What another process wrote after half a line of one whose disk was full stands on the same line.
    const start = text.lastIndexOf(LINE_START)
    if (start > 0) this.#fragments.push({ place, text: text.slice(0, start) })
    const whole = start > 0 ? text.slice(start) : text
    const line = isEnded ? readLine(whole, this.#seals) : undefined
    if (line) this.#takeLine(line, place)
    else if (isEnded && macOf(whole) !== undefined) this.#takeAltered(whole, place)
    else this.#fragments.push({ place, text: whole })
  }

  end(): Verdict {
    this.#judgeFragments()
    for (const [id, chain] of this.#chains) chain.judge([...(this.#anchors.get(id)?.values() ?? [])], this.#breaks)
    this.#judgeAbsentChains()
    const unfinished = [...this.#chains].filter(([, { end }]) => end === undefined).map(([id]) => id)
    return { lines: this.#lines, chains: this.#chains.size, breaks: this.#breaks, unfinished }
  }

  #takeLine(line: AuditLine, place: Place): void {
    this.#lines++
    this.#firstTime ??= line.time
    if (line.time > this.#lastTime) this.#lastTime = line.time
    this.#compareWithAnchor(line, place)
    const chain = this.#chains.get(line.chain) ?? this.#begin(line, place)
    if (!chain.take(line, place, this.#breaks)) return
    if (line.kind === 'gap') this.#takeGap(line, place)
    if (line.kind === 'open') this.#checkBefore(line, place)
  }

  #begin(line: AuditLine, place: Place): ReadChain {
    const { chain: id, seq, kind } = line
    const isBeginning = kind === 'open' ? seq === 0 : kind === 'continue'
    if (!isBeginning) {
      this.#breaks.push({ kind: 'missing', place, detail: `chain ${id} begins with its line ${seq}` })
    }
    const chain = new ReadChain(line)
    this.#chains.set(id, chain)
    return chain
  }

  #takeAltered(text: string, place: Place): void {
    const claim = claimOf(text)
    this.#breaks.push({ kind: 'altered', place, detail: 'not sealed with AUDIT_SECRET' })
    // What it says of itself is believed only so far that the next line is not called missing, too.
    const chain = claim && this.#chains.get(claim.chain)
    if (!claim || !chain || claim.seq !== chain.next) return
    chain.passOver()
  }

  #takeGap({ json }: AuditLine, place: Place): void {
    const { lost, reason, torn } = JSON.parse(json)
    for (const digest of Array.isArray(torn) ? torn : []) this.#torn.add(String(digest))
    this.#tornLines += Array.isArray(torn) ? torn.length : 0
    if (typeof lost === 'number' && lost > 0) {
      this.#breaks.push({ kind: 'lost', place, detail: `${lost} lines could not be written (${String(reason)})` })
    }
  }

  /** A chain says what stood before it in its file. */
  #checkBefore({ json, chain: id }: AuditLine, place: Place): void {
    const { after } = JSON.parse(json)
    if (typeof after !== 'object' || after === null) return
    const { chain, seq } = after
    const before = this.#chains.get(chain)
    if (before && before.next > seq) return
    this.#breaks.push({ kind: 'missing', place, detail: `line ${seq} of chain ${chain} stood before chain ${id}` })
  }

  #compareWithAnchor({ chain, seq, mac }: AuditLine, place: Place): void {
    const anchor = this.#anchors.get(chain)?.get(seq + 1)
    if (!anchor || anchor.head === mac) return
    this.#breaks.push({ kind: 'altered', place, detail: `the log has seen another line ${seq} of chain ${chain}` })
  }

  #judgeFragments(): void {
    const untold = this.#fragments.filter(({ text }) => !this.#torn.has(hash('sha256', text, 'base64url')))
    for (const { place, text } of untold) {
      const claim = claimOf(text)
      const chain = claim && this.#chains.get(claim.chain)
      // Half a line of a process that was killed while it wrote: the chain is unfinished, and that is said.
      if (claim && chain && chain.end === undefined && chain.next === claim.seq) continue
      this.#breaks.push({ kind: 'unreadable', place, detail: 'not a whole line' })
    }
    for (const place of this.#blanks.slice(this.#tornLines)) {
      this.#breaks.push({ kind: 'unreadable', place, detail: 'an empty line' })
    }
  }

  /** Chains that the log has seen in the time of these files, and that are in none of them. */
  #judgeAbsentChains(): void {
    // The end of a chain in the file before this one may be in the log a little later.
    const fromMs = Date.parse(this.#firstTime ?? '') + TOLD_WITHIN_MS
    const goesOn = [...this.#chains.values()].some(({ end }) => end === 'moved')
    for (const [id, anchors] of this.#anchors) {
      if (this.#chains.has(id)) continue
      const isMeant = [...anchors.values()].some(
        ({ time }) => isIn(time, fromMs) && (!goesOn || time <= this.#lastTime)
      )
      if (isMeant) this.#breaks.push({ kind: 'cut', detail: `chain ${id} is gone, and the log has seen it` })
    }
  }
}

/** Of files without any line everything is missing. */
function isIn(time: string, fromMs: number): boolean {
  return Number.isNaN(fromMs) || Date.parse(time) >= fromMs
}
