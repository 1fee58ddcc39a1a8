// What a Redis remembers of itself in `reply:meta`, as it is read and written.
import type { Argument, ScriptRunner } from '../../../redis/scripts.ts'
import { LOSS_REASONS, type LossReason, type ServerMemory } from './judgement.ts'
import { MEMORY_FIELDS, type MemoryField, type Scripts } from './scripts.ts'

export interface Recalled {
  /** The time of the server. */
  readonly nowMs: number
  readonly memory: ServerMemory
  /** Run, epoch and beat as they were found. */
  readonly found: readonly [string, string, string]
}

/** Reads the memory of one shard. */
export async function recall(runner: ScriptRunner, { recall }: Scripts, key: string): Promise<Recalled> {
  const [nowMs, kind, fields] = await runner.runText(recall, [key], [])
  if (typeof nowMs !== 'number' || typeof kind !== 'string' || !Array.isArray(fields)) {
    throw new Error('not an answer to a greeting')
  }
  const texts = fields.map(field => (typeof field === 'string' ? field : ''))
  const [run = '', epoch = '', beat = ''] = texts
  return { nowMs, memory: readMemory(texts, kind === 'hash' || kind === 'none'), found: [run, epoch, beat] }
}

/** False where another client has written meanwhile: then nothing was. */
export async function note(
  runner: ScriptRunner,
  { note }: Scripts,
  key: string,
  found: Recalled['found'],
  memory: Omit<ServerMemory, 'isCopy' | 'isDamaged'>
): Promise<boolean> {
  const { run, epoch, formerEpochs, replicationId, beat, loss, wholeFrom, isSynced, replicas } = memory
  const values: Readonly<Partial<Record<MemoryField, Argument | undefined>>> = {
    run,
    epoch,
    beat,
    since: loss?.atMs,
    for: loss?.mattersForMs,
    why: loss?.why,
    whole: list(wholeFrom),
    synced: isSynced ? 'yes' : 'no',
    most: replicas?.most,
    seen: replicas?.seenAtMs,
    former: list(formerEpochs),
    replid: replicationId || undefined
  }
  const set = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
  const gone = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [name] : []))
  const [answer] = await runner.runText(note, [key], [...found, set.length / 2, ...set, ...gone])
  if (answer !== 'noted' && answer !== 'recall-again') throw new Error('not an answer to a greeting')
  return answer === 'noted'
}

function readMemory(texts: readonly string[], isOurs: boolean): ServerMemory {
  const [run = '', epoch = '', beat = '', since = '', span = '', why = '', whole = '', synced, most = '', seen] = texts
  const [copy, former = '', replicationId = ''] = texts.slice(MEMORY_FIELDS.indexOf('copy'))
  const loss = { atMs: date(since), mattersForMs: date(span), why: reason(why) }
  return {
    run,
    epoch,
    formerEpochs: words(former),
    replicationId,
    beat: date(beat) ?? 0,
    loss: isWhole(loss) ? loss : undefined,
    wholeFrom: words(whole),
    isSynced: synced === 'yes',
    replicas: seen
      ? { most: date(most) ?? Number.POSITIVE_INFINITY, seenAtMs: date(seen) ?? Number.POSITIVE_INFINITY }
      : undefined,
    isCopy: Boolean(copy),
    isDamaged: !isOurs || (since !== '' && !isWhole(loss))
  }
}

type Loss = NonNullable<ServerMemory['loss']>

function isWhole(loss: {
  atMs: number | undefined
  mattersForMs: number | undefined
  why: LossReason | undefined
}): loss is Loss {
  return loss.atMs !== undefined && loss.mattersForMs !== undefined
}

function list(words: readonly string[]): string | undefined {
  return words.length > 0 ? words.join(' ') : undefined
}

function words(list: string): readonly string[] {
  return list.split(' ').filter(word => word !== '')
}

/** In milliseconds. */
function date(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function reason(text: string): LossReason | undefined {
  return Object.hasOwn(LOSS_REASONS, text) ? (text as LossReason) : undefined
}
