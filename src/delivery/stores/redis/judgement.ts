// Whether a Redis may have lost records since it was met last: pure rules over what is known of one server, or of one
// shard. Each says where it comes from.
import type { FailoverPromise } from '../../../lib/service/failover.ts'
import type { Introduction } from '../server-run.ts'

/** What `reply:meta` remembers of the server that holds the records. Dates are the server's own. */
export interface ServerMemory {
  /** INFO's `run_id` of the server that was greeted last; empty where it was never known. */
  readonly run: string
  /** Empty where there is none: a new server, or one that was emptied. */
  readonly epoch: string
  /** Those that ended with a loss that was noted here or before, the latest last. */
  readonly formerEpochs: readonly string[]
  /** Counts the greetings. */
  readonly beat: number
  /** INFO's `master_replid` when that run was greeted; empty where it was never known. */
  readonly replicationId: string
  /** When records may last have got lost, for how long that matters, and why. */
  readonly loss:
    | { readonly atMs: number; readonly mattersForMs: number; readonly why: LossReason | undefined }
    | undefined
  /** Former runs of which everything is here for certain, the latest last. */
  readonly wholeFrom: readonly string[]
  /** Whether each write was on the disk before it was answered, as it was seen last. */
  readonly isSynced: boolean
  /** The most replicas that were connected at once, and when the last was seen; undefined for none since a loss. */
  readonly replicas: { readonly most: number; readonly seenAtMs: number } | undefined
  /** Whether this came from another server: every copy of a greeted server has a mark that its own log has not. */
  readonly isCopy: boolean
  /** Not as this service writes it: another program was here, or it is damaged. */
  readonly isDamaged: boolean
}

/** What the server tells of itself now. */
export interface ServerNow {
  /** Empty where INFO is forbidden. */
  readonly run: string
  readonly isSynced: boolean
  /** Whether its history is that of another server, of which it was a replica, or of a snapshot (`master_replid2`). */
  readonly hasForeignHistory: boolean
  /** Of this history. One that was a replica in between has another. */
  readonly replicationId: string
  /** How many replicas are connected. */
  readonly replicas: number
  /** The run from which this shard has come here with everything it had (moves.ts). */
  readonly movedFrom?: string
}

/** What this process knows of the server that it met last. */
export type Met = Pick<Introduction, 'metRun' | 'metEpoch' | 'metBeat'>

/** Why records may have been lost, in words for the operator. */
export const LOSS_REASONS = {
  damaged: 'what this service keeps there of the server itself is damaged',
  emptied: 'it was emptied',
  moved: 'it was told so: records were moved to it from another store',
  older: 'it holds an older copy of the records',
  copy: 'another server took its place, and what it had not received is lost',
  blank: 'it took the place of another server, or came from a snapshot, and has nothing of this service',
  unsynced: 'it was restarted, and does not put each write on its disk before it answers (appendfsync always)',
  replaced: 'it was restarted, and a replica may have served in its place meanwhile',
  stranger: 'another server served in between',
  unconfirmed: 'it has more replicas than STORE_WAIT_REPLICAS: one that did not confirm may have taken its place',
  clock: 'its clock jumped ahead, and records may have expired early'
} as const

export type LossReason = keyof typeof LOSS_REASONS

/** Nothing changed, it did and nothing can be lost, or something may be. */
export type Judgement = 'same' | 'whole' | LossReason

/** For so long a replica that is gone may still hold records that matter: as long as one that may be posted. */
const REPLICA_MATTERS_MS = 48 * 3_600_000

export function judge(
  memory: ServerMemory,
  now: ServerNow,
  met: Met,
  promise: FailoverPromise,
  nowMs: number
): Judgement {
  const loss = judgeMemory(memory, met)
  if (loss !== undefined || now.run === '') return loss ?? 'same'
  const change = judgeRun(memory, now, promise, nowMs)
  if (change !== 'same' && change !== 'whole') return change
  return isOfTheLine(memory, met, change === 'same' ? now.run : undefined) ? change : 'stranger'
}

function judgeRun(memory: ServerMemory, now: ServerNow, promise: FailoverPromise, nowMs: number): Judgement {
  if (memory.run === '' && memory.epoch === '') return isPromotedBlank(now, promise) ? 'blank' : 'same'
  if (memory.run === '' || isSameReign(memory, now)) return 'same'
  return now.movedFrom === memory.run ? 'whole' : judgeChange(memory, now, promise, nowMs)
}

/**
 * A replica that had received nothing at all. It looks like a server that is new but for its history; only who has met the other
 * one could tell more.
 */
function isPromotedBlank({ hasForeignHistory }: ServerNow, { failover }: FailoverPromise): boolean {
  return hasForeignHistory && failover !== 'lossless'
}

/**
 * Whether it is the same run, and has led all the time. One that was made a replica and then led once more has another
 * replication id, with the former one behind it (replication.c, shiftReplicationId); if it had not yet received what the other
 * one had, it has its own older records, of the epoch and the run that all remember. A primary takes another id also when it
 * gives up its backlog, but then with no history behind it.
 */
function isSameReign(memory: ServerMemory, now: ServerNow): boolean {
  if (memory.run !== now.run) return false
  return !now.hasForeignHistory || memory.replicationId === '' || memory.replicationId === now.replicationId
}

/** Whether what the server remembers is what this process has seen. */
function judgeMemory(memory: ServerMemory, met: Met): LossReason | undefined {
  if (memory.isDamaged) return 'damaged'
  if (met.metRun !== '' && memory.run === '' && memory.epoch === '') return 'emptied'
  // As docs/operations.md has it, whatever is promised of failovers.
  if (met.metRun === '' && memory.run !== '' && memory.epoch === '') return 'moved'
  if (isAsMet(memory, met)) return memory.beat < met.metBeat ? 'older' : undefined
  // The loss that ended the epoch of this process was noted by another one.
  if (memory.formerEpochs.includes(met.metEpoch)) return undefined
  // A copy of before that epoch; or a newcomer that knew no better has greeted the emptied server, and noted no loss.
  return memory.loss ? 'older' : 'emptied'
}

/** Whether it is still the epoch that this process met; a newcomer has met none. */
function isAsMet({ epoch }: ServerMemory, { metEpoch }: Met): boolean {
  return metEpoch === '' || metEpoch === epoch
}

/**
 * Whether the server that this process met has everything in common with the one that is remembered. After a loss that was
 * noted since, everybody begins anew.
 */
function isOfTheLine(memory: ServerMemory, met: Met, run: string | undefined): boolean {
  if (!isAsMet(memory, met) || met.metRun === '' || met.metRun === '?') return true
  return [...memory.wholeFrom, memory.run, run].includes(met.metRun)
}

/**
 * Another run of a server: it was restarted, or another one is in its place. Nothing is lost
 * - where the shard was moved here by a resharding, and no master has failed meanwhile;
 * - where the operator says so, and replicas that need not confirm do not contradict it;
 * - where it is the same server, which had every answered write on its disk, and nobody can have served in its place.
 *   Redis fsyncs before it answers with `appendfsync always`, and ends where that fails (redis.conf; aof.c,
 *   flushAppendOnlyFile). A replication id proves nothing of a restart: a primary that loads its append-only file takes a
 *   new one, and an offset is known to one process only.
 */
function judgeChange(memory: ServerMemory, now: ServerNow, promise: FailoverPromise, nowMs: number): Judgement {
  const { failover, waitReplicas } = promise
  const most = Math.max(memory.replicas?.most ?? 0, now.replicas)
  if (failover === 'lossless') return waitReplicas > 0 && most > waitReplicas ? 'unconfirmed' : 'whole'
  if (memory.isCopy || now.hasForeignHistory) return 'copy'
  if (!memory.isSynced || !now.isSynced) return 'unsynced'
  const isReplicated = memory.replicas !== undefined && nowMs - memory.replicas.seenAtMs < REPLICA_MATTERS_MS
  return isReplicated || now.replicas > 0 ? 'replaced' : 'whole'
}

/** What is to be remembered from now on. */
export function remember(
  memory: ServerMemory,
  now: ServerNow,
  judgement: Judgement,
  told: Pick<Introduction, 'metEpoch' | 'newEpoch' | 'mattersForMs' | 'jumpMs'>,
  nowMs: number
): Omit<ServerMemory, 'isCopy' | 'isDamaged'> {
  const isLost = judgement !== 'same' && judgement !== 'whole'
  const before = memory.loss && { ...memory.loss, atMs: Math.min(memory.loss.atMs, nowMs) }
  const loss = isLost ? { atMs: nowMs, mattersForMs: told.mattersForMs, why: judgement } : jumped(before, told, nowMs)
  const replicas = isLost ? undefined : memory.replicas
  return {
    ...epochsOf(memory, told, isLost || told.jumpMs > 0),
    run: now.run || memory.run,
    replicationId: now.run === '' ? memory.replicationId : now.replicationId,
    beat: memory.beat + 1,
    loss,
    wholeFrom: isLost ? [] : judgement === 'whole' ? [...memory.wholeFrom, memory.run].slice(-LINE) : memory.wholeFrom,
    isSynced: now.isSynced,
    replicas: now.replicas > 0 ? { most: Math.max(now.replicas, replicas?.most ?? 0), seenAtMs: nowMs } : replicas
  }
}

/** With a loss end the epoch that is remembered and the one that this process met. */
function epochsOf(
  { epoch, formerEpochs }: ServerMemory,
  { metEpoch, newEpoch }: Pick<Introduction, 'metEpoch' | 'newEpoch'>,
  isAnew: boolean
): Pick<ServerMemory, 'epoch' | 'formerEpochs'> {
  if (!isAnew) return { epoch: epoch || newEpoch, formerEpochs }
  const all = new Set([...formerEpochs, epoch, metEpoch].filter(one => one !== ''))
  return { epoch: newEpoch, formerEpochs: [...all].slice(-EPOCHS) }
}

/** So many restarts may lie between two greetings of one process. */
const LINE = 8
/** So many losses: each of many instances that sees the same clock jump notes one. */
const EPOCHS = 32

function jumped(
  loss: ServerMemory['loss'],
  { jumpMs, mattersForMs }: { readonly jumpMs: number; readonly mattersForMs: number },
  nowMs: number
): ServerMemory['loss'] {
  if (jumpMs <= 0) return loss
  const restMs = loss ? loss.atMs + loss.mattersForMs - nowMs : 0
  return { atMs: nowMs, mattersForMs: Math.max(Math.min(jumpMs, mattersForMs), restMs), why: 'clock' }
}
