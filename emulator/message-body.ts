// The checks that CometChat makes on the body of a message before it looks at who and where.
import type { ErrorCode } from './error-codes.ts'
import { badRequest, ChatError } from './errors.ts'
import { mentionedUids } from './mentions.ts'
import type { Switches } from './switches.ts'
import type { JsonObject, ReceiverType } from './types.ts'

/** The last two are posted to /messages by a live client; `threadCategories` says what a thread takes. */
const CATEGORIES = ['message', 'custom', 'interactive', 'card']
const TYPES = ['text', 'image', 'file', 'audio', 'video']
const MAX_TAGS = 25
const MAX_TAG_CHARACTERS = 100
const MAX_MENTIONS = 10

export interface Target {
  readonly receiver: string
  readonly receiverType: ReceiverType
}

export interface MessageBody {
  /** Undefined when the body left it out and the switches allow that. */
  readonly target: Target | undefined
  readonly moreTargets: readonly Target[]
  readonly category: string
  readonly type: string
  readonly data: JsonObject
  readonly tags: readonly string[]
  readonly muid: string | null
  readonly quotedMessageId: string | null
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isStringList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(item => typeof item === 'string')
const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === ''

function refuseIf(wrong: boolean, code: ErrorCode, message: string): void {
  if (wrong) throw new ChatError(code, message)
}

export function parseObject(text: string): JsonObject {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw badRequest()
  }
  if (!isObject(parsed)) throw badRequest()
  return parsed
}

function refuseOversize(text: string, body: JsonObject, switches: Switches): void {
  const { messageMaxCharacters, dataMaxBytes } = switches
  // Counting characters is dear; a text that is short in UTF-16 units is short in characters, too.
  const isLong = text.length > messageMaxCharacters && [...JSON.stringify(body)].length > messageMaxCharacters
  if (isLong) {
    throw badRequest({ message: [`The message may not be greater than ${messageMaxCharacters} characters.`] })
  }
  if (dataMaxBytes !== null && Buffer.byteLength(JSON.stringify(body['data'] ?? {})) > dataMaxBytes) {
    throw badRequest({ data: [`The data may not be greater than ${dataMaxBytes} bytes.`] })
  }
}

function readTarget({ receiver, receiverType }: JsonObject, mayBeOmitted: boolean): Target | undefined {
  if (mayBeOmitted && isEmpty(receiver) && isEmpty(receiverType)) return undefined
  if (typeof receiver !== 'string' || receiver === '') {
    throw new ChatError('ERR_EMPTY_RECEIVER', 'The receiver is empty. Please provide a receiver.')
  }
  if (receiverType !== 'user' && receiverType !== 'group') {
    throw new ChatError('ERR_INVALID_RECEIVER_TYPE', 'The receiverType is invalid. It must be user or group.')
  }
  return { receiver: receiver.toLowerCase(), receiverType }
}

function readMoreTargets(value: unknown): Target[] {
  if (value === undefined || value === null) return []
  const { uids = [], guids = [] } = isObject(value) ? value : { uids: null }
  if (!isStringList(uids) || !isStringList(guids)) {
    throw badRequest({ multipleReceivers: ['The multiple receivers must hold lists of uids and guids.'] })
  }
  const toTarget = (receiverType: ReceiverType) => (id: string) => ({ receiver: id.toLowerCase(), receiverType })
  return [...uids.map(toTarget('user')), ...guids.map(toTarget('group'))]
}

function readKind(body: JsonObject, mayBeOmitted: boolean, categories: readonly string[]) {
  const { category = mayBeOmitted ? 'message' : '', type = mayBeOmitted ? 'text' : '' } = body
  refuseIf(isEmpty(category), 'ERR_EMPTY_MESSAGE_CATEGORY', 'The message category is empty.')
  refuseIf(isEmpty(type), 'ERR_EMPTY_MESSAGE_TYPE', 'The message type is empty.')
  if (typeof category !== 'string' || !categories.includes(category)) {
    throw new ChatError('ERR_INVALID_MESSAGE_CATEGORY', 'The message category is invalid.')
  }
  if (typeof type !== 'string' || (category === 'message' && !TYPES.includes(type))) {
    throw new ChatError('ERR_INVALID_MESSAGE_TYPE', 'The message type is invalid.')
  }
  return { category, type }
}

function checkText({ text }: JsonObject): void {
  refuseIf(isEmpty(text), 'ERR_EMPTY_MESSAGE_TEXT', 'The message text is empty.')
  refuseIf(typeof text !== 'string', 'ERR_INVALID_MESSAGE_TEXT', 'The message text must be a string.')
  if (mentionedUids(text).length > MAX_MENTIONS) {
    throw badRequest({ text: [`The text may not mention more than ${MAX_MENTIONS} users.`] })
  }
}

function checkMedia({ attachments, url }: JsonObject): void {
  const isMissing = isEmpty(url) && (!Array.isArray(attachments) || attachments.length === 0)
  refuseIf(isMissing, 'ERR_EMPTY_MESSAGE_FILE', 'The message has no file.')
  const hasUrl = (item: unknown) => isObject(item) && typeof item['url'] === 'string'
  const isWrong = attachments !== undefined && !(Array.isArray(attachments) && attachments.every(hasUrl))
  refuseIf(isWrong, 'ERR_INVALID_MEDIA_MESSAGE', 'The media message is invalid.')
}

function checkCustom({ customData }: JsonObject): void {
  refuseIf(isEmpty(customData), 'ERR_EMPTY_CUSTOM_DATA', 'The customData is empty.')
  if (!isObject(customData)) throw new ChatError('ERR_INVALID_CUSTOM_DATA', 'The customData must be a JSON object.')
  refuseIf(Object.keys(customData).length === 0, 'ERR_EMPTY_CUSTOM_DATA', 'The customData is empty.')
}

function readData({ data }: JsonObject, category: string, type: string): JsonObject {
  if (!isObject(data)) throw new ChatError('ERR_INVALID_MESSAGE_DATA', 'The message data must be a JSON object.')
  const hasWrongMetadata = data['metadata'] !== undefined && !isObject(data['metadata'])
  refuseIf(hasWrongMetadata, 'ERR_INVALID_METADATA', 'The metadata must be a JSON object.')
  if (category === 'custom') checkCustom(data)
  if (category === 'message') (type === 'text' ? checkText : checkMedia)(data)
  return data
}

export function readTags(tags: unknown): string[] {
  if (tags === undefined || tags === null) return []
  if (!isStringList(tags)) throw badRequest({ tags: ['The tags must be an array of strings.'] })
  if (tags.length > MAX_TAGS) throw badRequest({ tags: [`The tags may not have more than ${MAX_TAGS} items.`] })
  if (tags.some(tag => [...tag].length > MAX_TAG_CHARACTERS)) {
    throw badRequest({ tags: [`A tag may not be greater than ${MAX_TAG_CHARACTERS} characters.`] })
  }
  return tags
}

/** A number as the SDK sends it, or digits. */
function readQuotedMessageId({ quotedMessageId: id }: JsonObject): string | null {
  if (id === undefined || id === null) return null
  const isNumber = typeof id === 'number' && Number.isSafeInteger(id) && id > 0
  if (isNumber || (typeof id === 'string' && /^[1-9][0-9]*$/.test(id))) return String(id)
  throw badRequest({ quotedMessageId: ['The quotedMessageId must be an integer.'] })
}

/** Reads the body of a post, or throws the refusal. Members it does not know are tolerated, as CometChat must. */
export function readMessageBody(text: string, switches: Switches, { isThread }: { isThread: boolean }): MessageBody {
  const body = parseObject(text)
  refuseOversize(text, body, switches)
  const moreTargets = readMoreTargets(body['multipleReceivers'])
  const target = readTarget(body, moreTargets.length > 0 || (isThread && switches.receiverMayBeOmitted))
  const categories = isThread ? switches.threadCategories : CATEGORIES
  const { category, type } = readKind(body, switches.categoryAndTypeMayBeOmitted, categories)
  const data = readData(body, category, type)
  const tags = readTags(body['tags'])
  const { muid } = body
  if (muid !== undefined && typeof muid !== 'string') throw badRequest({ muid: ['The muid must be a string.'] })
  const keepsMuid = muid !== undefined && switches.muid === 'stored'
  const quotedMessageId = readQuotedMessageId(body)
  return { target, moreTargets, category, type, data, tags, muid: keepsMuid ? muid : null, quotedMessageId }
}
