import { AppError } from '../errors.ts'
import type { DeliveryState } from '../lib/refusals/problems.ts'
import { alarmFor, type CallKind, upstreamError } from './errors/upstream-error.ts'
import type { CallResult } from './transport/call-result.ts'
import type { RetryOptions } from './transport/retry.ts'

export interface CallErrors {
  /** The refusal that a call without a usable answer ends in. Somebody who has to look is told. */
  failed(result: CallResult, kind: CallKind): AppError
  /** The refusal for an answer to another request: no connection is used any more. */
  mismatch(delivery: DeliveryState): AppError
}

export function createCallErrors({ connections, emit }: Pick<RetryOptions, 'connections' | 'emit'>): CallErrors {
  return {
    failed(result, kind) {
      const error = upstreamError(result, kind)
      const alarm = alarmFor(error)
      if (alarm) emit({ name: 'alarm', alarm })
      return error
    },
    mismatch(delivery) {
      // A connection that carries a stray answer shifts every later one by one.
      connections.reset()
      emit({ name: 'alarm', alarm: 'upstream-mismatch' })
      return new AppError('upstream-mismatch', 'CometChat answered another request.', { delivery, retryAfterMs: 1000 })
    }
  }
}

/** A refusal for an answer about a thread that is none. */
export function unreadableThread(): AppError {
  return new AppError('upstream-invalid', 'CometChat described the thread in a way that cannot be read.', {
    delivery: 'not-sent',
    reason: 'thread-unreadable'
  })
}
