import { AppError, type AppErrorOptions } from '../../errors.ts'
import type { DeliveryState } from '../../lib/refusals/problems.ts'
import type { Reason } from '../../lib/refusals/reasons.ts'
import type { CallResult } from '../transport/call-result.ts'
import type { UpstreamFailure } from '../transport/exchange-types.ts'
import type { CometChatRefusal } from './cometchat-errors.ts'

/** Whether the call would have posted something: a failed read never leaves a reply in doubt. */
export type CallKind = 'read' | 'post'

const DEFAULT_RETRY_AFTER_MS = 15_000
const SOON_MS = 1000
const MAX_ERRORS = 20
const UNKNOWN_USER = 'unknown-user'
const FEATURE_REFUSED = 'feature-refused'

/** The refusal that a call without a usable answer ends in; the truth about delivery is decided here. */
export function upstreamError(result: CallResult, kind: CallKind): AppError {
  const { outcome } = result
  if (result.outOfTime) {
    return new AppError(
      'deadline-exceeded',
      'CometChat asked for more time than there was.',
      notSent('wants-more-time')
    )
  }
  if (outcome.kind === 'failure') return afterFailure(outcome, kind)
  if (outcome.status >= 500) {
    return new AppError('upstream-error', 'CometChat answered with a server error.', inDoubt(kind, 'status-5xx'))
  }
  if (outcome.status === 408) {
    return new AppError('upstream-error', 'CometChat gave up waiting.', inDoubt(kind, 'status-408'))
  }
  // RFC 8470 §5.2: it was not processed.
  if (outcome.status === 425) {
    return new AppError('upstream-unreachable', 'CometChat cannot be reached.', notSent('too-early'))
  }
  return refused(result, kind)
}

/** A refusal of one of several receivers. */
export interface ReceiverRefusal {
  readonly refusal: CometChatRefusal
  readonly code: string
  readonly pointer: string
}

/** The refusal where CometChat refused the reply to each of its receivers, which is `not-sent`. */
export function refusedReceivers(refusals: readonly ReceiverRefusal[]): AppError {
  // These would meet any other reply, too, and are told as such.
  const ours = refusals.find(({ refusal }) => ['our-key', 'app', 'rate-limited'].includes(refusal.kind))
  if (ours) return refused({ refusal: ours.refusal }, 'post')
  const errors = refusals.slice(0, MAX_ERRORS).map(({ pointer, code }) => {
    return { pointer, code, detail: 'CometChat refused the reply to this receiver with this code.' }
  })
  const isOfFeature = refusals.some(({ refusal }) => refusal.kind === 'feature')
  return new AppError('rejected-by-cometchat', 'CometChat refused the reply to every receiver.', {
    errors,
    ...(isOfFeature && { reason: FEATURE_REFUSED })
  })
}

function refused(result: Omit<CallResult, 'outcome'>, kind: CallKind): AppError {
  const { refusal, retryAfterMs = result.resetsInMs ?? DEFAULT_RETRY_AFTER_MS } = result
  switch (refusal?.kind) {
    case 'our-key':
      return new AppError('upstream-credentials', 'The key of this service was refused; the operator is told.')
    case 'app':
      return new AppError('upstream-misconfigured', 'CometChat refuses the app of this service; the operator is told.')
    case 'feature':
      return rejected(refusal.errorCode, FEATURE_REFUSED)
    case 'rate-limited':
      return new AppError('rate-limited', 'CometChat takes no more for now.', { retryAfterMs, reason: 'cometchat' })
    case 'no-access':
      return threadNotFound()
    case 'unknown-user':
      return kind === 'read' ? unknownSender() : rejected('ERR_UID_NOT_FOUND', UNKNOWN_USER)
    case 'user-exists':
      return rejected(undefined)
    case 'server-fault':
      return new AppError('upstream-error', 'CometChat failed.', inDoubt(kind, 'server-fault'))
    case 'refused':
      if (refusal.code === 'thread-not-found') return threadNotFound()
      if (refusal.code === 'rejected-by-cometchat') return rejected(refusal.shown)
      return new AppError(refusal.code, 'The reply and its thread belong to different conversations.', {
        reason: 'other-conversation'
      })
    default:
      return new AppError(
        'upstream-invalid',
        'CometChat gave an answer that cannot be read.',
        inDoubt(kind, 'answer-unreadable')
      )
  }
}

function afterFailure({ cause, sent, limit }: UpstreamFailure, kind: CallKind): AppError {
  if (limit) return limited(cause === 'unreachable', limit)
  const doubt = (reason: Reason): Explained => (sent ? inDoubt(kind, reason) : notSent(reason))
  switch (cause) {
    case 'overloaded':
      // What is read is what is too much, where it was sent.
      return new AppError(
        'overloaded',
        sent ? 'Too much is being read at once.' : 'Too many replies are waiting for CometChat.',
        notSent('upstream-queue')
      )
    case 'client-closed':
      return new AppError('client-closed', 'The client went away.')
    case 'deadline':
      return new AppError('deadline-exceeded', 'CometChat did not answer in time.', doubt('no-answer'))
    case 'unreachable':
    case 'untrusted':
      return new AppError('upstream-unreachable', 'CometChat cannot be reached.', {
        retryAfterMs: SOON_MS,
        reason: cause
      })
    case 'unreadable':
      return new AppError(
        'upstream-invalid',
        'CometChat gave an answer that cannot be read.',
        doubt('answer-unreadable')
      )
    case 'reset':
      return new AppError('upstream-reset', 'The connection to CometChat was lost.', doubt('connection-lost'))
  }
}

/** A limit of this service kept the call from being written. */
function limited(isUnreachable: boolean, { policy, retryAfterMs }: NonNullable<UpstreamFailure['limit']>): AppError {
  const options = { delivery: 'not-sent', retryAfterMs, reason: policy, violatedPolicies: [policy] } as const
  return isUnreachable
    ? new AppError('upstream-unreachable', 'CometChat cannot be reached.', options)
    : new AppError('overloaded', 'CometChat does not keep up with what it is asked.', options)
}

/** The alarm that a refusal stands for, if somebody has to look. */
export function alarmFor({ code, options }: AppError): 'upstream-credentials' | 'upstream-untrusted' | undefined {
  if (code === 'upstream-credentials') return code
  return options.reason === 'untrusted' ? 'upstream-untrusted' : undefined
}

/** One answer for "unknown", "not visible to you" and "not in the group", so that ids cannot be probed. */
export function threadNotFound(): AppError {
  return new AppError('thread-not-found', 'There is no such thread, or this user may not reply in it.')
}

/** The user whom this service acts for is nobody in CometChat, or was deactivated there. */
export function unknownSender(): AppError {
  return new AppError('identity-unmappable', 'The signed-in user does not exist in CometChat.', {
    reason: UNKNOWN_USER
  })
}

/** True where CometChat did not know a user: in a read the sender, in a post the sender or a receiver. */
export function isAboutUnknownUser(error: unknown): error is AppError {
  return error instanceof AppError && error.options.reason === UNKNOWN_USER
}

function rejected(shownCode: string | undefined, reason?: Reason): AppError {
  const errors = shownCode && [{ pointer: '', code: shownCode, detail: 'CometChat refused the reply with this code.' }]
  return new AppError('rejected-by-cometchat', 'CometChat refused the reply.', {
    ...(errors && { errors }),
    ...(reason !== undefined && { reason })
  })
}

type Explained = AppErrorOptions & { readonly reason: Reason }

function inDoubt(kind: CallKind, reason: Reason): Explained {
  const delivery: DeliveryState = kind === 'post' ? 'unknown' : 'not-sent'
  return { delivery, retryAfterMs: SOON_MS, reason }
}

function notSent(reason: Reason): Explained {
  return { delivery: 'not-sent', retryAfterMs: SOON_MS, reason }
}
