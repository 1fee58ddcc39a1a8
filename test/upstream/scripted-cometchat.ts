// CometChat as the calls of upstream/ meet it: what each exchange results in is scripted, and time is virtual.
import type { Clock } from '../../src/lib/clock.ts'
import { Secret } from '../../src/lib/secret.ts'
import type { CometChatUid } from '../../src/lib/service/cometchat-uid.ts'
import type { ServiceEvent, StepEvent } from '../../src/observability/events.ts'
import { createKeyring } from '../../src/upstream/keyring.ts'
import type { ExchangeResult, FailureCause, UpstreamRequest } from '../../src/upstream/transport/exchange-types.ts'
import type { RetryOptions } from '../../src/upstream/transport/retry.ts'

export const ALICE = 'alice' as CometChatUid
export const KEYS = [new Secret('first-key-of-cometchat'), new Secret('second-key-of-cometchat')] as const

export function answer(body: unknown, status = 200, headers: Record<string, string> = {}): ExchangeResult {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { kind: 'answer', status, headers, body: Buffer.from(text) }
}

export function refusal(code: string, status: number, headers: Record<string, string> = {}): ExchangeResult {
  return answer({ error: { code, message: `the key ${KEYS[0].reveal()}` } }, status, headers)
}

export function failure(cause: FailureCause, sent: boolean): ExchangeResult {
  return { kind: 'failure', cause, sent, errorCode: 'ECONNRESET' }
}

/** Options for the calls; the last result of the script is met again and again. */
export function scripted(...script: readonly [ExchangeResult, ...ExchangeResult[]]) {
  const requests: UpstreamRequest[] = []
  const events: ServiceEvent[] = []
  const steps: StepEvent[] = []
  const sleeps: number[] = []
  let nowMs = 0
  let resets = 0
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: async ms => {
      sleeps.push(ms)
      nowMs += ms
    }
  }
  const options: RetryOptions = {
    connections: {
      exchange: async (request, { onTurn }) => {
        onTurn?.(nowMs)
        requests.push(request)
        return script[Math.min(requests.length, script.length) - 1] ?? script[0]
      },
      reset: () => void resets++,
      close: async () => undefined
    },
    keyring: createKeyring(KEYS, () => nowMs),
    clock,
    settleMs: 3500,
    random: () => 0,
    emit: event => void (event.name === 'upstream-attempt' ? steps : events).push(event as StepEvent)
  }
  return { options, requests, events, steps, sleeps, resets: () => resets }
}
