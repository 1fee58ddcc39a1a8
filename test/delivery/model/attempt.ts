// One request of one client, as it meets one process, and what it is told.
import { createDelivery, type DeliveryOptions } from '../../../src/delivery/deliver.ts'
import type { RecordStore } from '../../../src/delivery/record.ts'
import { AppError } from '../../../src/errors.ts'
import type { DeliveryState as Verdict } from '../../../src/lib/refusals/problems.ts'
import type { CometChatUid } from '../../../src/lib/service/cometchat-uid.ts'
import { LogFields } from '../../../src/observability/log-fields.ts'
import type { CometChatClient } from '../../../src/upstream/cometchat-client.ts'
import type { Process, World } from './world.ts'

export interface Answer {
  readonly code: string
  readonly verdict: Verdict
  readonly messageId?: string | undefined
  readonly retryAfterMs?: number | undefined
}

export interface Attempt {
  readonly id: number
  readonly text: string
  readonly process: Process
  readonly beganAtMs: number
  /** Where in the sequence of steps it last asked something of the store or of CometChat. */
  lastAskedAt: number
  isWaiting: boolean
  /** Whether it ever heard what its record says. */
  hasRecord?: boolean
  answer?: Answer
}

export interface AttemptParts {
  readonly world: World
  readonly store: RecordStore
  readonly cometchat: Omit<CometChatClient, 'readMessage'>
  readonly receiverOf: DeliveryOptions['receiverOf']
  readonly recordKeys: DeliveryOptions['recordKeys']
  readonly quietPeriodMs: number
  readonly key: string | null
}

export const DEADLINE_MS = 10_000
export const LEASE_MS = DEADLINE_MS + 5000

/** Begins the attempt; its answer appears on it once there is one. */
export function begin(attempt: Attempt, parts: AttemptParts): void {
  const { world, store, cometchat, receiverOf, recordKeys, quietPeriodMs, key } = parts
  const clock = world.clock(attempt.process)
  const watch = { storeKind: 'memory', emit: () => undefined } as const
  const options = {
    ...watch,
    store,
    cometchat: cometchat as CometChatClient,
    receiverOf,
    recordKeys,
    clock,
    quietPeriodMs,
    notes: { find: async () => undefined }
  }
  const delivery = createDelivery({ ...options, deadlineMs: DEADLINE_MS, marker: true })
  const message = { category: 'message', type: 'text', data: { text: attempt.text } }
  const author = { issuer: 'issuer', subject: 'alice', uid: 'alice' as CometChatUid }
  const isWaiting = (): boolean => attempt.isWaiting
  const keyed = key !== null && { idempotencyKey: key }
  const order = { parentId: '7', message, author, ...keyed, facts: new LogFields(), isWaiting }
  delivery.deliver(order).then(
    ({ messageId, replayed }) =>
      tell(world, attempt, { code: replayed ? '201 again' : '201', verdict: 'sent', messageId }),
    (error: unknown) => tell(world, attempt, answerOf(error))
  )
}

function tell(world: World, attempt: Attempt, answer: Answer): void {
  world.note(`#${attempt.id} hears ${answer.code}, ${answer.verdict} ${answer.messageId ?? ''}`)
  attempt.answer = answer
}

/** As the error handler has it: what is no refusal of ours is `internal`. */
function answerOf(error: unknown): Answer {
  if (!(error instanceof AppError)) return { code: 'internal', verdict: 'not-sent' }
  const { messageId, retryAfterMs } = error.options
  return { code: error.code, verdict: error.delivery, messageId, retryAfterMs }
}
