// What answers a post to several receivers. One client is known, and it reads `data.uids[uid].error` of POST /messages;
// the other shapes stay as switches (docs/cometchat-facts.md §3.3).
import { requireReachable } from './access.ts'
import type { ChatContext } from './context.ts'
import { ChatError, envelope } from './errors.ts'
import type { Target } from './message-body.ts'
import type { JsonObject, StoredMessage } from './types.ts'
import { messageToWire } from './wire.ts'

/** What became of one receiver: a message that is to be posted, or the refusal. */
export interface Delivery {
  readonly target: Target
  readonly message?: StoredMessage
  readonly refusal?: ChatError
  readonly hangs: boolean
}

const isPerReceiver = ({ switches }: ChatContext): boolean => switches.multipleReceivers.startsWith('per-receiver')

/** Tries each receiver by itself where the answer can tell of each; else the first refusal refuses all. */
export function deliverTo(
  context: ChatContext,
  {
    sender,
    targets,
    isMany
  }: { readonly sender: string; readonly targets: readonly Target[]; readonly isMany: boolean },
  prepare: (target: Target) => StoredMessage
): Delivery[] {
  return targets.map(target => {
    try {
      const { hangs } = requireReachable(context, sender, target)
      return { target, hangs, message: prepare(target) }
    } catch (error) {
      if (!(error instanceof ChatError) || !isMany || !isPerReceiver(context)) throw error
      return { target, hangs: false, refusal: error }
    }
  })
}

function entryOf({ message, refusal }: Delivery, toWire: (message: StoredMessage) => JsonObject, isBare: boolean) {
  if (refusal) return { success: false, ...envelope(refusal.code, refusal.message, refusal.refusal) }
  const data = message && toWire(message)
  return isBare ? data : { success: true, data }
}

function perReceiver(deliveries: readonly Delivery[], toWire: (message: StoredMessage) => JsonObject, isBare: boolean) {
  const entriesOf = (type: Target['receiverType']) =>
    deliveries
      .filter(({ target }) => target.receiverType === type)
      .map(delivery => [delivery.target.receiver, entryOf(delivery, toWire, isBare)] as const)
  const [uids, guids] = [entriesOf('user'), entriesOf('group')]
  return {
    ...(uids.length > 0 && { uids: Object.fromEntries(uids) }),
    ...(guids.length > 0 && { guids: Object.fromEntries(guids) })
  }
}

/** The `data` of the answer. `isMany` says that the body named several receivers, be it one. */
export function answerTo(context: ChatContext, deliveries: readonly Delivery[], isMany: boolean): unknown {
  const { multipleReceivers, tagsEchoed, threadSubscribedInAnswers } = context.switches
  const toWire = (message: StoredMessage) =>
    messageToWire(message, context, {
      ofPost: true,
      withTags: tagsEchoed,
      subscriber: threadSubscribedInAnswers && message.parentId !== null ? message.sender : undefined
    })
  if (isMany && isPerReceiver(context)) {
    return perReceiver(deliveries, toWire, multipleReceivers === 'per-receiver-bare')
  }
  const [first, ...more] = deliveries.flatMap(({ message }) => (message ? [toWire(message)] : []))
  if (more.length === 0 || multipleReceivers === 'single') return first
  if (multipleReceivers === 'array') return [first, ...more]
  return Object.fromEntries(
    [first, ...more].map((data, i) => [deliveries[i]?.target.receiver, { success: true, data }])
  )
}
