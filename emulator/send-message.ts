// POST /messages and POST /messages/{id}/thread.
import { requireUser } from './access.ts'
import type { ApiRequest, ChatContext, Outcome } from './context.ts'
import { badRequest, ChatError, messageNotFound } from './errors.ts'
import { type MessageBody, readMessageBody, type Target } from './message-body.ts'
import { isModerated } from './moderation.ts'
import { UserLimitExceeded } from './rate-limit.ts'
import { answerTo, deliverTo } from './receivers.ts'
import { APP_SYSTEM } from './state.ts'
import { conversationOf, requireParent, requireSameConversation } from './thread-rules.ts'
import type { StoredMessage } from './types.ts'
import { messageToWire } from './wire.ts'

function senderOf(context: ChatContext, onBehalfOf: string | undefined, isThread: boolean): string {
  if (onBehalfOf !== undefined && onBehalfOf !== '') return requireUser(context, onBehalfOf).uid
  if (!isThread || context.switches.threadWithoutOnBehalfOf === 'app_system') return APP_SYSTEM
  throw badRequest({ onBehalfOf: ['The onBehalfOf field is required.'] })
}

function targetsOf({ switches }: ChatContext, body: MessageBody, first: Target | undefined): Target[] {
  const { moreTargets } = body
  if (moreTargets.length > 0 && switches.multipleReceivers === 'refused') {
    throw badRequest({ multipleReceivers: ['The multiple receivers are not allowed.'] })
  }
  const more = switches.multipleReceivers === 'ignored' ? [] : moreTargets
  const all = first === undefined ? more : [first, ...more]
  if (all.length === 0) throw new ChatError('ERR_EMPTY_RECEIVER', 'The receiver is empty. Please provide a receiver.')
  const distinct = new Map(all.map(target => [`${target.receiverType}:${target.receiver}`, target]))
  return [...distinct.values()]
}

function refuseIfBlocked({ switches, beforeSend }: ChatContext, message: StoredMessage): void {
  const { text } = message.data
  const hasBlockedWord = typeof text === 'string' && switches.blockedWords.some(word => text.includes(word))
  const by = hasBlockedWord ? 'extension' : beforeSend?.(message)
  if (by === 'webhook') throw new ChatError('ERR_BLOCKED_BY_WEBHOOK', 'The message is blocked by a webhook.')
  if (by === 'extension') {
    throw new ChatError('ERR_BLOCKED_BY_EXTENSION', 'The message is blocked by an extension.', {
      details: { action: 'do_not_propagate' }
    })
  }
}

interface Post {
  readonly sender: string
  readonly parent: StoredMessage | null
  readonly body: MessageBody
  readonly target: Target | undefined
}

function refuseRepeatedMuid(context: ChatContext, known: StoredMessage | undefined): Outcome | undefined {
  const { muidDuplicate } = context.switches
  if (known === undefined || muidDuplicate === 'posted-again') return undefined
  if (muidDuplicate === 'refused') throw badRequest({ muid: ['The muid has already been taken.'] })
  return { body: () => ({ data: messageToWire(known, context, { ofPost: true }) }) }
}

function post(context: ChatContext, { sender, parent, body, target }: Post): Outcome {
  const { state, switches, rateLimit } = context
  const { category, type, data, tags, muid, quotedMessageId } = body
  const repeated = refuseRepeatedMuid(context, muid === null ? undefined : state.findByMuid(sender, muid))
  if (repeated) return repeated
  if (quotedMessageId !== null && switches.unknownQuote === 'not-found' && !state.messages.has(quotedMessageId)) {
    throw messageNotFound(quotedMessageId)
  }
  const targets = targetsOf(context, body, target)
  const isMany = body.moreTargets.length > 0 && switches.multipleReceivers !== 'ignored'
  const moderated = isModerated(switches, category, type)
  const shared = { sender, category, type, data, tags, muid, quotedMessageId, moderated, actsOn: null }
  const deliveries = deliverTo(context, { sender, targets, isMany }, one => {
    const message = state.prepare({ ...shared, parentId: parent?.id ?? null, ...one })
    refuseIfBlocked(context, message)
    return message
  })
  const posts = deliveries.flatMap(({ message }) => message ?? [])
  const budget = rateLimit.countMessages(sender, posts.length)
  if (budget) throw new UserLimitExceeded(budget)
  if (deliveries.some(({ hangs }) => hangs)) return { body: () => undefined, hangs: true }
  return { body: () => ({ data: answerTo(context, deliveries, isMany) }), posts }
}

export function sendMessage(context: ChatContext, { headers, body: text }: ApiRequest): Outcome {
  const body = readMessageBody(text, context.switches, { isThread: false })
  const sender = senderOf(context, headers['onbehalfof'], false)
  return post(context, { sender, parent: null, body, target: body.target })
}

export function sendReply(context: ChatContext, { headers, body: text }: ApiRequest, parentId: string): Outcome {
  const body = readMessageBody(text, context.switches, { isThread: true })
  const sender = senderOf(context, headers['onbehalfof'], true)
  const parent = requireParent(context, parentId, sender)
  if (body.target) requireSameConversation(parent, sender, body.target)
  const target = body.target ?? (body.moreTargets.length > 0 ? undefined : conversationOf(parent, sender))
  return post(context, { sender, parent, body, target })
}
