// Replies with an Idempotency-Key to one service before one local CometChat, and the ledger as their judge.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { EmulatorOptions } from '../../emulator/cometchat-emulator.ts'
import { hostService } from './hosted-service.ts'
import { type RunningService, type ServiceEnv, type StartService, startService } from './service-process.ts'
import { postReply, type ReplyAnswer, type ReplyAttempt, startEmulator } from './thread.ts'

export type KeyedReplies = Awaited<ReturnType<typeof startKeyedReplies>>

const PATIENCE_MS = 60_000

/** To a service beside those of other tests. */
export const startKeyedReplies = (t: Test, overrides: ServiceEnv = {}, options: EmulatorOptions = {}) =>
  startWith(hostService, t, overrides, options)
/** To one in a process of its own. */
export const startKeyedRepliesProcess = (t: Test, overrides: ServiceEnv = {}, options: EmulatorOptions = {}) =>
  startWith(startService, t, overrides, options)

async function startWith<S extends RunningService>(
  start: StartService<S>,
  t: Test,
  overrides: ServiceEnv,
  options: EmulatorOptions
) {
  const { emulator, env, parentId, groupParentId } = await startEmulator(t, options)
  const service = await start(t, { ...env, REPLY_DEADLINE_MS: '5000', ...overrides })
  let keys = 0

  const send = (key: string, attempt: Partial<ReplyAttempt> = {}): Promise<ReplyAnswer> =>
    postReply(service, { parentId, ...attempt, headers: { 'idempotency-key': key, ...attempt.headers } })

  /** Sends until the answer is another than "not known yet", as `Retry-After` says. */
  async function sendUntilKnown(key: string, attempt: Partial<ReplyAttempt> = {}): Promise<ReplyAnswer> {
    const endMs = performance.now() + PATIENCE_MS
    for (;;) {
      const answer = await send(key, attempt)
      const isFinal = answer.json?.delivery !== 'unknown' || answer.json?.retryable !== true
      if (isFinal) return answer
      if (performance.now() > endMs) throw new Error(`it never became known: ${answer.text}`)
      await sleep(answer.json.retryAfterMs ?? 100)
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
