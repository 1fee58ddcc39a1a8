// PUT and DELETE /messages/{id}. Both are answered with an action message (docs/cometchat-facts.md §3.4).
import { isSettled, requireUser, requireVisible } from './access.ts'
import type { ApiRequest, ChatContext, Effect, Outcome } from './context.ts'
import { ChatError, noAccess } from './errors.ts'
import { isObject, parseObject, readTags } from './message-body.ts'
import { APP_SYSTEM } from './state.ts'
import type { JsonObject, StoredMessage } from './types.ts'
import { messageToWire } from './wire.ts'

/** A message that this request may change, and who changes it; without `onBehalfOf` the app does. */
function requireOwn(context: ChatContext, { headers }: ApiRequest, id: string) {
  const onBehalfOf = headers['onbehalfof'] ?? ''
  const actor = onBehalfOf === '' ? APP_SYSTEM : requireUser(context, onBehalfOf).uid
  const message = requireVisible(context, id, actor)
  if (message.actsOn !== null) {
    throw new ChatError('ERR_MESSAGE_ACTION_NOT_ALLOWED', `The message with id ${id} is an action message.`)
  }
  if (!isSettled(context, message)) throw noAccess(actor, id)
  if (actor !== APP_SYSTEM && actor !== message.sender) {
    throw new ChatError(
      'ERR_MESSAGE_NOT_A_SENDER',
      `The user with UID ${actor} is not the sender of the message with id ${id}.`
    )
  }
  return { actor, message }
}

/** The recorded action of the app names the message's own sender, and `app_system` as `editedBy` alone. */
function actOn(context: ChatContext, message: StoredMessage, action: string, effect: Effect): Outcome {
  const { sender, receiver, receiverType } = message
  const plain = { tags: [], muid: null, quotedMessageId: null, parentId: null, moderated: false }
  const draft = { sender, receiver, receiverType, category: 'action', type: 'message', data: { action } }
  const prepared = context.state.prepare({ ...draft, ...plain, actsOn: message })
  return {
    body: () => ({ data: messageToWire(prepared, context) }),
    effect: atMs => {
      effect(atMs)
      context.state.commit(prepared, atMs)
    }
  }
}

/** What an edit leaves: whether metadata is merged or replaced, nobody knows. */
export function editedData(old: JsonObject, given: JsonObject, how: ChatContext['switches']['editedData']): JsonObject {
  if (how === 'replaced') return given
  const merged = { ...old, ...given }
  if (how === 'members-replaced' || !isObject(old['metadata']) || !isObject(given['metadata'])) return merged
  return { ...merged, metadata: { ...old['metadata'], ...given['metadata'] } }
}

function readEdit(text: string): { readonly data: JsonObject; readonly tags: readonly string[] | null } {
  const { data = {}, tags } = parseObject(text)
  if (!isObject(data)) throw new ChatError('ERR_INVALID_MESSAGE_DATA', 'The message data must be a JSON object.')
  const { text: edited, metadata } = data
  if (edited === '') throw new ChatError('ERR_EMPTY_MESSAGE_TEXT', 'The message text is empty.')
  if (metadata !== undefined && !isObject(metadata)) {
    throw new ChatError('ERR_INVALID_METADATA', 'The metadata must be a JSON object.')
  }
  return { data, tags: tags === undefined ? null : readTags(tags) }
}

export function changeMessage(context: ChatContext, request: ApiRequest, id: string): Outcome {
  const { data, tags } = readEdit(request.body)
  const { actor, message } = requireOwn(context, request, id)
  return actOn(context, message, 'edited', atMs => {
    message.data = editedData(message.data, data, context.switches.editedData)
    if (tags !== null) message.tags = tags
    message.edited = { atMs, by: actor }
  })
}

export function deleteMessage(context: ChatContext, request: ApiRequest, id: string): Outcome {
  const { permanent = false } = request.body === '' ? {} : parseObject(request.body)
  const { actor, message } = requireOwn(context, request, id)
  return actOn(context, message, context.switches.deleteAction, atMs => {
    message.deleted = { atMs, by: actor }
    if (permanent === true) context.state.remove(message)
  })
}
