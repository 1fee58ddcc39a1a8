// Replies with an Idempotency-Key to one service before one local CometChat, and the ledger as their judge.
import type { Test } from 'tap'
import type { EmulatorOptions } from '../../emulator/cometchat-emulator.ts'
import { type ServiceEnv, startService } from './service-process.ts'
import { postReply, type ReplyAnswer, type ReplyAttempt, startEmulator } from './thread.ts'

export type KeyedReplies = Awaited<ReturnType<typeof startKeyedReplies>>

/** The budgets are off, because a 429 proves nothing here, and CometChat settles at once. */
const CALM: ServiceEnv = { LIMIT_USER_PER_MINUTE: '0', LIMIT_APP_PER_MINUTE: '0', REPLY_DEADLINE_MS: '1500' }

export async function startKeyedReplies(t: Test, overrides: ServiceEnv = {}, options: EmulatorOptions = {}) {
  const { emulator, env, parentId, groupParentId } = await startEmulator(t, options)
  const service = await startService(t, { ...env, ...CALM, ...overrides })
  let keys = 0

  const send = (key: string, attempt: Partial<ReplyAttempt> = {}): Promise<ReplyAnswer> =>
    postReply(service, { parentId, ...attempt, headers: { 'idempotency-key': key, ...attempt.headers } })

  /** Sends until the answer is another than "not known yet", as `Retry-After` says. */
  async function sendUntilKnown(key: string, attempt: Partial<ReplyAttempt> = {}): Promise<ReplyAnswer> {
    for (;;) {
      const answer = await send(key, attempt)
      const isFinal = answer.json?.delivery !== 'unknown' || answer.json?.retryable !== true
      if (isFinal) return answer
      await new Promise(resolve => setTimeout(resolve, answer.json.retryAfterMs ?? 100))
    }
  }

  return {
    emulator,
    service,
    parentId,
    groupParentId,
    newKey: (): string => `key-${++keys}`,
    send,
    sendUntilKnown,
    /** What was posted with this text, or at all. */
    posts: (text?: string) =>
      emulator.ledger.filter(({ message }) => text === undefined || message.data['text'] === text)
  }
}

export const isReplayed = ({ headers }: ReplyAnswer): boolean => headers.get('idempotent-replayed') === 'true'

export const withText = (text: string) => ({ body: { data: { text } } })
