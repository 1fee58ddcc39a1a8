import type { ServerFacts } from '../../../postgres/server-facts.ts'
import type { Introduction } from '../server-run.ts'

/** What the table `store` remembers of the server that holds the records. Dates are its own. */
export interface StoreMemory {
  /** Timeline and system; empty where it was not asked for, or never. */
  readonly run: string
  readonly epoch: string
  /** Names of the standbys without which nothing was committed, with commas between them. */
  readonly standbys: string
  /** When records may last have got lost, and for how long that matters. */
  readonly loss: { readonly atMs: number; readonly mattersForMs: number } | undefined
}

/** What this process knows of the server that it met last. */
export interface Acquaintance extends Introduction {
  readonly flushedTo: string
  readonly standbys: string
}

/**
 * What has to be remembered from now on; the same object where nothing changes. Every possible loss begins another epoch:
 * - the server is on another timeline, or another one. A standby was promoted, or a backup restored; what the primary had
 *   committed may not have reached it, unless nothing was committed without it;
 * - it is behind what this process has seen of its log: an older copy;
 * - it was emptied, and knows of no loss;
 * - this process saw its clock jump ahead, and records may be forgotten before their time.
 */
export function remember(memory: StoreMemory, facts: ServerFacts, met: Acquaintance, nowMs: number): StoreMemory {
  const before = memory.loss && { ...memory.loss, atMs: Math.min(memory.loss.atMs, nowMs) }
  const standbys = mandatoryStandbys(facts.standbys).join(',')
  const run = facts.run || memory.run
  const isLost = hasLost(memory, facts, met)
  const loss = isLost ? { atMs: nowMs, mattersForMs: met.mattersForMs } : jumped(before, met, nowMs)
  const isSame = run === memory.run && standbys === memory.standbys && loss === before && memory.epoch !== ''
  if (isSame && before?.atMs === memory.loss?.atMs) return memory
  const epoch = isLost || met.jumpMs > 0 || memory.epoch === '' ? met.newEpoch : memory.epoch
  return { run, epoch, standbys, loss }
}

function hasLost(memory: StoreMemory, facts: ServerFacts, met: Acquaintance): boolean {
  const hasMet = met.metEpoch !== ''
  if (hasMet && memory.epoch === '') return true
  if (hasMet && memory.epoch !== met.metEpoch && !memory.loss) return true
  if (facts.run === '') return false
  if (memory.run !== '' && memory.run !== facts.run && !isCovered(memory.run, memory.standbys, facts)) return true
  if (met.metRun === '' || met.metRun === '?') return false
  return met.metRun === facts.run ? isBehind(facts.flushedTo, met.flushedTo) : hasLeft(memory, facts, met)
}

/** Whether a process that met another run misses what it had there. */
function hasLeft(memory: StoreMemory, facts: ServerFacts, met: Acquaintance): boolean {
  // One that was left behind, whatever loss it has noted before: that was another one.
  if (isEarlier(facts.run, met.metRun)) return true
  // Another process that knew no better may have taken note of the change.
  return memory.epoch === met.metEpoch && !isCovered(met.metRun, met.standbys, facts)
}

function jumped(loss: StoreMemory['loss'], { jumpMs, mattersForMs }: Acquaintance, nowMs: number): StoreMemory['loss'] {
  if (jumpMs <= 0) return loss
  const restMs = loss ? loss.atMs + loss.mattersForMs - nowMs : 0
  return { atMs: nowMs, mattersForMs: Math.max(Math.min(jumpMs, mattersForMs), restMs) }
}

/** Whether nothing had been committed without this server, which had followed the other one. */
function isCovered(run: string, standbys: string, { name, run: now }: ServerFacts): boolean {
  const [, system] = run.split('/')
  return system === now.split('/')[1] && name !== '' && standbys.split(',').includes(name)
}

/** Of two timelines of one system, in hexadecimal digits of one length: each promotion begins a later one. */
function isEarlier(one: string, other: string): boolean {
  const [[timeline = '', system], [otherTimeline = '', otherSystem]] = [one.split('/'), other.split('/')]
  return system === otherSystem && timeline < otherTimeline
}

/**
 * The standbys of `synchronous_standby_names` that have to confirm every commit: all of the list, where as many as are
 * listed have to. Of others a promoted one may be the one that did not (Postgres manual, 20.6.1).
 */
export function mandatoryStandbys(setting: string): string[] {
  const [, count = '1', list = setting] = /^\s*(?:(?:FIRST|ANY)\s+)?(\d+)\s*\(([^)]*)\)\s*$/i.exec(setting) ?? []
  const names = list
    .split(',')
    .map(name => name.trim().replace(/^"(.*)"$/, '$1'))
    .filter(name => name !== '')
  // A star is any standby.
  const arePlain = names.every(name => /^[\w.-]+$/.test(name))
  return arePlain && Number(count) >= names.length ? names : []
}

/** Of two places in the log of Postgres. */
export function isBehind(one: string, other: string): boolean {
  return lsn(one) < lsn(other)
}

/** A place in the log of Postgres, such as `16/B374D848`. */
function lsn(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}
