import { createReadStream } from 'node:fs'
import { readLine, type Seal } from './chain.ts'
import type { Anchor } from './read-chain.ts'
import { Verifier } from './verify.ts'

export interface Verification {
  readonly exitCode: number
  /** For the operator, some lines. */
  readonly report: string
}

export const EXIT_WHOLE = 0
export const EXIT_BROKEN = 1
export const EXIT_UNFINISHED = 2

const MOST_SHOWN = 100
/** A longer one is no line of an audit file. */
const LONGEST_LINE = 1_048_576

/**
 * Reads audit files, and what the log has seen of them. Rejects with an ErrnoException for a file that cannot be read.
 */
export async function verifyFiles(
  paths: readonly string[],
  { anchorLogs, seals }: { readonly anchorLogs: readonly string[]; readonly seals: readonly Seal[] }
): Promise<Verification> {
  const anchors = await anchorsIn(anchorLogs)
  const verifier = new Verifier(seals, anchors)
  for (const file of await inOrder(paths, seals)) {
    let line = 0
    for await (const lines of linesOf(file)) {
      for (const { text, isEnded } of lines) verifier.take(text, { file, line: ++line }, isEnded)
    }
  }
  const { lines, chains, breaks, unfinished } = verifier.end()
  const shown = breaks
    .slice(0, MOST_SHOWN)
    .map(({ kind, place, detail }) => `${place ? `${place.file}:${place.line}: ` : ''}${kind}: ${detail}`)
  const more = breaks.length > MOST_SHOWN ? [`… and ${breaks.length - MOST_SHOWN} more`] : []
  const open = unfinished.map(id => `unfinished: chain ${id} has no end: its process was killed, or runs still`)
  const empty = lines === 0 ? ['unfinished: there is no line at all'] : []
  const exitCode = breaks.length > 0 ? EXIT_BROKEN : open.length + empty.length > 0 ? EXIT_UNFINISHED : EXIT_WHOLE
  const sum = `${['whole', 'broken', 'unfinished'][exitCode]}: ${lines} lines, ${chains} chains, ${breaks.length} breaks`
  return { exitCode, report: [...shown, ...more, ...open, ...empty, sum, ...hints(anchorLogs, anchors)].join('\n') }
}

function hints(anchorLogs: readonly string[], anchors: readonly Anchor[]): string[] {
  if (anchorLogs.length === 0) return ['Without --anchors LOG a chain that was cut off as a whole leaves no trace.']
  return anchors.length === 0 ? ['The log holds no line "audit checkpoint".'] : []
}

/** Rotated files in the order in which they were written, whatever the order of their names. */
async function inOrder(paths: readonly string[], seals: readonly Seal[]): Promise<string[]> {
  const begun = await Promise.all(paths.map(async path => ({ path, time: await firstTime(path, seals) })))
  return begun.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).map(({ path }) => path)
}

async function firstTime(path: string, seals: readonly Seal[]): Promise<string> {
  for await (const lines of linesOf(path)) {
    for (const { text } of lines) {
      const line = readLine(text, seals)
      if (line) return line.time
    }
  }
  return ''
}

interface TextLine {
  readonly text: string
  readonly isEnded: boolean
}

/** The lines of a file, with one character a byte, as many at a time as are read at once. */
async function* linesOf(path: string): AsyncGenerator<readonly TextLine[]> {
  let rest = ''
  for await (const chunk of createReadStream(path, { encoding: 'latin1', highWaterMark: LONGEST_LINE })) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    yield lines.map(text => ({ text, isEnded: true }))
    if (rest.length <= LONGEST_LINE) continue
    yield [{ text: rest, isEnded: false }]
    rest = ''
  }
  if (rest !== '') yield [{ text: rest, isEnded: false }]
}

async function anchorsIn(logs: readonly string[]): Promise<readonly Anchor[]> {
  const anchors: Anchor[] = []
  for (const log of logs)
    for await (const lines of linesOf(log)) anchors.push(...lines.flatMap(({ text }) => anchorIn(text)))
  return anchors
}

function anchorIn(text: string): Anchor[] {
  if (!text.includes('"audit checkpoint"')) return []
  try {
    const { msg, chain, count, head, time } = JSON.parse(text)
    const isAnchor = msg === 'audit checkpoint' && [chain, head, time].every(value => typeof value === 'string')
    return isAnchor && typeof count === 'number' ? [{ chain, count, head, time }] : []
  } catch {
    return []
  }
}
