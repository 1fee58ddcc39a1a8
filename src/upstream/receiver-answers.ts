import { asciiLowerCase } from '../lib/ascii.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { type CometChatRefusal, ERROR_ROWS } from './errors/cometchat-errors.ts'
import type { Receiver } from './types.ts'

/** Whom a reply to several receivers was posted to. */
export interface AskedReceivers {
  /** The conversation of the thread; no document says whether it is answered for, too. */
  readonly own: Receiver
  readonly uids: readonly string[]
  readonly guids: readonly string[]
}

/** What became of the reply at one receiver. */
export interface ReceiverAnswer extends Receiver {
  /** Into the body of the request. */
  readonly pointer: string
  /** Undefined where CometChat does not say, or says what proves nothing. */
  readonly result: { readonly message: JsonObject } | { readonly refusal: CertainRefusal } | undefined
}

export interface CertainRefusal {
  readonly refusal: CometChatRefusal
  /** CometChat's code, or ours where its own is not for callers. */
  readonly code: string
}

type Entry = readonly [receiverType: Receiver['receiverType'] | undefined, name: string, value: unknown]

/**
 * One answer for each receiver, in the order in which they were asked for. `foreign` for an answer about a receiver whom
 * this reply has nothing to do with; undefined where `data` tells nothing of single receivers.
 * No document shows the shape; a client reads `data.uids[uid].error` (docs/cometchat-facts.md §3.3).
 */
export function receiverAnswers(data: unknown, asked: AskedReceivers): ReceiverAnswer[] | 'foreign' | undefined {
  const places = placesOf(asked)
  const placeOf = ([receiverType, name]: Entry): Place | undefined =>
    places.find(place => isSame(place.receiver, name) && (receiverType ?? place.receiverType) === place.receiverType)
  const entries = entriesOf(data)
  if (!entries || entries.length === 0) return undefined
  const found = new Map<Place, unknown>()
  for (const entry of entries) {
    const place = placeOf(entry)
    // Where only the names tell that it is a map of receivers, other names tell that it is none.
    if (!place) return entry[0] === undefined ? undefined : 'foreign'
    found.set(place, entry[2])
  }
  return places
    .filter(place => place.isRequired || found.has(place))
    .map(place => ({ ...place, result: resultOf(found.get(place)) }))
}

interface Place extends Receiver {
  readonly pointer: string
  readonly isRequired: boolean
}

/** Each receiver once; the conversation of the thread comes first. */
function placesOf({ own, uids, guids }: AskedReceivers): Place[] {
  const places: Place[] = []
  const add = (place: Place): void => {
    if (!places.some(known => isSameReceiver(known, place))) places.push(place)
  }
  for (const [index, receiver] of uids.entries()) {
    add({ receiver, receiverType: 'user', pointer: `/multipleReceivers/uids/${index}`, isRequired: true })
  }
  for (const [index, receiver] of guids.entries()) {
    add({ receiver, receiverType: 'group', pointer: `/multipleReceivers/guids/${index}`, isRequired: true })
  }
  const isOwn = (place: Place): boolean => isSameReceiver(place, own)
  const first = places.find(isOwn) ?? { ...own, pointer: '/receiver', isRequired: false }
  return [first, ...places.filter(place => !isOwn(place))]
}

function isSameReceiver(one: Receiver, other: Receiver): boolean {
  return one.receiverType === other.receiverType && isSame(one.receiver, other.receiver)
}

/** CometChat writes every name in lower case. */
function isSame(one: string, other: string): boolean {
  return asciiLowerCase(one) === asciiLowerCase(other)
}

/** By kind of receiver, by name alone, or a list of messages; undefined for one message and for what is none of these. */
function entriesOf(data: unknown): Entry[] | undefined {
  if (Array.isArray(data)) {
    return data.every(isObject)
      ? data.map(message => [typeOf(message), String(message['receiver']), message])
      : undefined
  }
  if (!isObject(data) || 'id' in data || 'sender' in data) return undefined
  const { uids, guids } = data
  if (uids === undefined && guids === undefined)
    return Object.entries(data).map(([name, value]) => [undefined, name, value])
  return [
    ...Object.entries(isObject(uids) ? uids : {}).map(([name, value]): Entry => ['user', name, value]),
    ...Object.entries(isObject(guids) ? guids : {}).map(([name, value]): Entry => ['group', name, value])
  ]
}

function typeOf({ receiverType }: JsonObject): Receiver['receiverType'] | undefined {
  return receiverType === 'user' || receiverType === 'group' ? receiverType : undefined
}

function resultOf(value: unknown): ReceiverAnswer['result'] {
  if (!isObject(value)) return undefined
  const { success, error, data } = value
  if (error !== undefined) {
    const isContradicted = success === true || isObject(data)
    return isContradicted || !isObject(error) ? undefined : refusalOf(error)
  }
  if (success === false) return undefined
  // The message itself, or the message in an envelope of its own.
  if ('sender' in value) return { message: value }
  return isObject(data) ? { message: data } : undefined
}

/** Only a code that is known to be a refusal proves that nothing was posted. */
function refusalOf({ code }: JsonObject): { readonly refusal: CertainRefusal } | undefined {
  const row = typeof code === 'string' ? ERROR_ROWS.get(code) : undefined
  if (typeof code !== 'string' || !row || row.refusal.kind === 'server-fault') return undefined
  return { refusal: { refusal: row.refusal, code: row.isShown ? code : row.problem } }
}
