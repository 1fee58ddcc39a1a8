import { canonicalJson, isObject, type JsonObject } from '../../lib/json.ts'
import type { ReplyMessage } from '../types.ts'

/** Members of `data` that CometChat keeps as they came; URLs it signs anew, entities and moderation it adds. */
const KEPT_MEMBERS = ['text', 'customData', 'interactiveData', 'card', 'fallbackText'] as const

/** Whether a message of CometChat says what a reply says, whatever it is marked with. */
export function hasContentOf(message: JsonObject, { category, type, data }: ReplyMessage): boolean {
  const listed = message['data']
  if (message['category'] !== category || message['type'] !== type || !isObject(listed)) return false
  const isSame = (name: string): boolean => textOf(listed[name]) === textOf(data[name])
  return KEPT_MEMBERS.every(isSame) && namesOf(listed['attachments']) === namesOf(data['attachments'])
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : canonicalJson(value)
}

/** Attachments are alike by their number and names. */
function namesOf(attachments: unknown): string {
  if (!Array.isArray(attachments)) return ''
  return JSON.stringify(attachments.map(one => (isObject(one) ? (one['name'] ?? '') : '')))
}
