import type { BackOff } from './back-off.ts'
import { type Entry, FRESH, sentAs } from './entries.ts'
import { type Answer, type Json, problemOf } from './exchange.ts'
import type { Problem } from './problems.ts'
import type { Message } from './types.ts'

/** The service forgets a key after 24 hours, and the same request is then a new reply. */
const LAST_TRY_MS = 23 * 3_600_000
/** How often a key is looked up in vain before the cause is told. */
const LOOK_UPS = 5
/** Refusals that the service makes only after it looked at the record of the key, so they speak of earlier attempts, too. */
const AFTER_THE_KEY = /^(thread-|rejected-|upstream-)/
const EDITABLE = /^(payload-too-large|invalid-request|rejected-by-cometchat|too-old)$/
/** Nothing was sent, and it is not the reply's fault. */
const NOT_ITS_OWN = /^(unauthenticated|other-account)$/

export interface Outcomes {
  isOld(entry: Entry): boolean
  /** Of one whose key, or whose edit, is too old to be sent. */
  aged(entry: Entry): Entry
  /** What is known after an attempt; `before` is the entry as it was before it. */
  afterTry(before: Entry, tried: Entry, answer: Answer): Entry
  /** What is known after its key was looked up. */
  afterLookUp(entry: Entry, answer: Answer): Entry
  failed(entry: Entry, problem: Problem): Entry
}

/** What an answer says of a reply: no storage, no network, so that each rule stands alone. */
export function createOutcomes(now: () => number, backOff: BackOff): Outcomes {
  /** A clock that was set back proves nothing. */
  const isOld = ({ firstTryAt = now() }: Entry): boolean => Math.abs(now() - firstTryAt) > LAST_TRY_MS

  function failed(entry: Entry, problem: Problem): Entry {
    const mayExist = !!entry.mayExist || !!entry.editOf
    const canEdit = !!entry.editOf || (!mayExist && EDITABLE.test(problem.code))
    return { ...entry, problem, state: { is: 'failed', problem, mayExist, canEdit } }
  }

  function later(entry: Entry, problem: Problem): Entry {
    const { tries, firstTryAt = now(), mayExist, mustLookUp } = entry
    // However long the service asks to wait: when its key is too old, it is time to look.
    const last = mustLookUp ? Number.POSITIVE_INFINITY : Math.max(now() + 1000, firstTryAt + LAST_TRY_MS + 1)
    const until = Math.min(last, now() + backOff.waitMs(problem, tries))
    const floor = problem.retryAfterMs && now() + problem.retryAfterMs
    const state = { is: mayExist ? 'unconfirmed' : 'waiting', until, code: problem.code } as const
    return { ...entry, tries: tries + 1, until, floor, problem, state }
  }

  function sent(entry: Entry, message: Message): Entry {
    backOff.onSuccess(entry.tries)
    return { ...entry, ...FRESH, firstTryAt: entry.firstTryAt, editOf: undefined, state: sentAs(message) }
  }

  function afterTry(before: Entry, tried: Entry, { json, problem }: Answer): Entry {
    if (!problem) return sent(tried, json.data)
    const { code, delivery, retryable, messageId = '' } = problem
    if (delivery === 'sent') return sent(tried, { id: messageId, data: tried.body.data })
    if (NOT_ITS_OWN.test(code)) return before
    const mayExist = delivery === 'unknown' || (!!tried.mayExist && !AFTER_THE_KEY.test(code))
    const known = { ...tried, mayExist }
    return retryable ? later(known, problem) : refused(known, problem)
  }

  function refused(entry: Entry, problem: Problem): Entry {
    if (!entry.mayExist || entry.editOf) return failed(entry, problem)
    const state = { is: 'unconfirmed', until: now(), code: problem.code } as const
    return { ...entry, mustLookUp: true, tries: 0, problem, state }
  }

  function afterVainLookUp(entry: Entry, problem: Problem): Entry {
    const { code, retryable } = problem
    if (NOT_ITS_OWN.test(code)) return entry
    const isInVain = !retryable || (entry.tries >= LOOK_UPS && code !== 'rate-limited')
    return isInVain ? failed(entry, entry.problem ?? problem) : { ...later(entry, problem), problem: entry.problem }
  }

  /** The service knows the key, or its thread, and cannot say that it was sent. */
  function afterDoubt(entry: Entry, { delivery, retryAfterMs }: Json): Entry {
    const { problem = problemOf('too-old'), mayExist } = entry
    if (delivery === 'not-sent' || !mayExist) return failed({ ...entry, mayExist: false }, problem)
    // Its time is over, or the service does not say when there is more to know: a person decides.
    if (isOld(entry) || !retryAfterMs) return { ...entry, state: { is: 'unconfirmed', code: problem.code } }
    return later(entry, { ...problemOf('idempotency-in-flight', 409), retryAfterMs })
  }

  return {
    isOld,
    failed,
    aged(entry) {
      if (entry.editOf) return failed(entry, entry.problem ?? problemOf('too-old'))
      return { ...entry, mustLookUp: true, tries: 0, until: undefined }
    },
    afterTry,
    afterLookUp(entry, { json, problem }) {
      if (problem) return afterVainLookUp(entry, problem)
      if (json.delivery === 'sent') return sent(entry, json.data ?? { id: '' })
      return entry.insists ? { ...entry, ...FRESH, mayExist: json.delivery === 'unknown' } : afterDoubt(entry, json)
    }
  }
}
