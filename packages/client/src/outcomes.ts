import { floorMs, giveBack, jitterMs } from './back-off.ts'
import type { Core } from './core.ts'
import { type Entry, mayExist, SENDING, sentAs, untried } from './entries.ts'
import { type Answer, problemOf } from './exchange.ts'
import type { Problem } from './problems.ts'

/** The service forgets a key after 24 hours, and the same request is then a new reply. */
const LAST_TRY_MS = 23 * 3_600_000
/** How often a key is looked up in vain before the cause is told. */
const LOOK_UPS = 5

/** Its key, or its edit, is too old to be sent. A clock that was set back proves nothing. */
export const isOld = ({ now }: Core, { firstTryAt = 0 }: Entry): boolean =>
  firstTryAt > 0 && Math.abs(now() - firstTryAt) > LAST_TRY_MS

export function failed(entry: Entry, problem = entry.problem ?? problemOf('too-old'), exists = mayExist(entry)): Entry {
  const isEdit = !!entry.editOf
  return { ...entry, problem, state: { is: 'failed', problem, mayExist: exists || isEdit, canEdit: isEdit || !exists } }
}

function later(core: Core, entry: Entry, problem: Problem, isInDoubt: boolean): Entry {
  const { tries } = entry
  const floor = core.now() + floorMs(problem)
  const until = Math.ceil(floor + jitterMs(core, problem, tries))
  const is = isInDoubt ? 'unconfirmed' : 'waiting'
  return { ...entry, tries: tries + 1, floor, problem, state: { is, until, code: problem.code } }
}

/**
 * What is known after an answer to a try, or to the question what became of its key: no storage, no network, so that each
 * rule stands alone. `before` is the entry as it was before the try.
 */
export function after(core: Core, before: Entry, tried: Entry, answer: Answer): Entry {
  const { json } = answer
  // Of a reply that was posted there is no more to know; what the service knows of another key is told with the cause.
  const { problem: cause = problemOf('too-old') } = tried
  const problem = answer.problem ?? { ...cause, delivery: 'sent', retryable: !!json.retryAfterMs, ...json }
  const { code, delivery, messageId = '' } = problem
  if (delivery === 'sent') {
    giveBack(core, tried.problem)
    return untried(tried, sentAs(json?.data ?? { id: messageId, data: tried.body.data }))
  }
  // Nothing was sent, and it is not the reply's fault.
  if (code === 'unauthenticated' || code === 'other-account') return before
  if (json && tried.lookUp === 'then-send') return untried(tried, delivery === 'not-sent' ? undefined : SENDING)
  return tried.lookUp ? afterLookUp(core, tried, problem, !!json) : afterTry(core, before, tried, problem)
}

function afterTry(core: Core, before: Entry, tried: Entry, problem: Problem): Entry {
  const { delivery, code } = problem
  // A refusal may come before the service looked at the key: then it says nothing of the tries before.
  const isInDoubt = delivery !== 'not-sent' || mayExist(before)
  if (problem.retryable) return later(core, tried, problem, isInDoubt)
  if (!isInDoubt || tried.editOf) return failed(tried, problem, isInDoubt)
  return { ...tried, lookUp: 'first', tries: 0, problem, state: { is: 'unconfirmed', until: core.now(), code } }
}

/** `isKnown`: the service said what it knows, which the problem tells; else it could not be asked. */
function afterLookUp(core: Core, entry: Entry, problem: Problem, isKnown: boolean): Entry {
  const { problem: cause = problem } = entry
  const isNotSent = isKnown && problem.delivery === 'not-sent'
  const exists = !isNotSent && mayExist(entry)
  const isTriedOut = entry.tries >= LOOK_UPS && problem.code !== 'rate-limited'
  const isOver = isKnown ? !exists || isOld(core, entry) : isTriedOut
  if (problem.retryable && !isOver) return { ...later(core, entry, problem, exists), problem: cause }
  // The service knows no more: a person decides.
  if (isKnown && exists) return { ...entry, state: { is: 'unconfirmed', code: cause.code } }
  return failed(entry, cause, exists)
}
