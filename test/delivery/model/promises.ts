// What must hold whatever happened: P1 to P4 of docs/delivery.md, and that no record stays locked.
import type { Attempt } from './attempt.ts'
import type { FakeCometChat, Post } from './fake-cometchat.ts'

/** Every broken promise, in words; empty when all were kept. All attempts are about one key. */
export function brokenPromises(cometchat: FakeCometChat, attempts: readonly Attempt[]): string[] {
  return [...doubled(cometchat), ...attempts.flatMap(attempt => untrue(cometchat, attempt)), ...diverging(attempts)]
}

/** P1. The model never commits later than the quiet period, so that a second message is always a broken promise. */
function doubled({ ledger }: FakeCometChat): string[] {
  if (ledger.length <= 1) return []
  return [`P1: one key, ${ledger.length} messages: ${ledger.map(({ messageId }) => messageId).join(', ')}`]
}

/** P2 and P4. */
function untrue({ ledger }: FakeCometChat, attempt: Attempt): string[] {
  const { id, text, answer, lastAskedAt } = attempt
  if (answer?.verdict === 'sent') {
    const named = ledger.find(({ messageId }) => messageId === answer.messageId)
    return named?.attempt.text === text ? [] : [`P2: #${id} was told of ${answer.messageId}, which is not its reply`]
  }
  if (answer?.verdict !== 'not-sent') return []
  // Without its record an attempt can only look into the thread: what another process sent and CometChat posts after
  // that look is not its lie (docs/delivery.md says so). With a record, an attempt that had begun is one.
  const isBlind = answer.code === 'store-unavailable' && !attempt.hasRecord
  const since = (post: Post): number => (isBlind ? (post.committedAt ?? Number.POSITIVE_INFINITY) : post.writtenAt)
  const lie = ledger.find(post => post.attempt.text === text && (post.attempt === attempt || since(post) < lastAskedAt))
  return lie ? [`P4: #${id} was told not-sent (${answer.code}) of ${lie.messageId}`] : []
}

const BUDGET_READS = 20
/** Half of the ten minutes, which begin when the first look is booked: after the first attempt of those that read began. */
const JUDGED_MS = 300_000

/** At most 20 reads in the first ten minutes. An attempt that cannot reach its record counts for its process alone. */
export function tooManyReads({ reads }: FakeCometChat): string[] {
  const counted = reads.filter(({ attempt }) => attempt.hasRecord)
  const fromMs = Math.min(...counted.map(({ attempt }) => attempt.beganAtMs))
  const early = counted.filter(({ atMs }) => atMs < fromMs + JUDGED_MS)
  return early.length > BUDGET_READS ? [`cost: ${early.length} reads in ${JUDGED_MS / 60_000} minutes`] : []
}

/** P3. */
function diverging(attempts: readonly Attempt[]): string[] {
  const told = attempts.filter(({ answer }) => answer?.verdict === 'sent').map(({ answer }) => answer?.messageId)
  return new Set(told).size <= 1 ? [] : [`P3: one key was answered with ${[...new Set(told)].join(' and ')}`]
}
