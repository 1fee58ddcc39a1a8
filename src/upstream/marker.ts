import { isObject, type JsonObject } from '../lib/json.ts'

/** The one member of `data.metadata` that belongs to this service. */
export const MARKER_MEMBER = 'bffDelivery'

/** A longer text could be nested deeper than JSON.stringify, and many a reader, can follow. */
const MAX_CUT_LENGTH = 8192
const METADATA = '"metadata":'
/** Escapes behind which a name, or a secret that must be recognised, could hide. */
const DISGUISE = /\\[u/]/

/** The marker a message carries, if any. */
export function markerOf(message: JsonObject): unknown {
  const data = message['data']
  const metadata = isObject(data) ? data['metadata'] : undefined
  return isObject(metadata) ? metadata[MARKER_MEMBER] : undefined
}

/** False for the JSON text of what has no marker in it for certain. */
export function mayHoldMarker(text: string): boolean {
  return text.includes(MARKER_MEMBER) || text.includes('\\u')
}

/** Takes the marker out of a parsed message, and the object that only existed to carry it. */
export function removeMarker(message: JsonObject): void {
  const data = message['data']
  const metadata = isObject(data) ? data['metadata'] : undefined
  if (!isObject(data) || !isObject(metadata) || !(MARKER_MEMBER in metadata)) return
  // What is undefined is not written; deleting it would make V8 treat the object as a dictionary, which is slower.
  if (Object.keys(metadata).length === 1) data['metadata'] = undefined
  else metadata[MARKER_MEMBER] = undefined
}

/**
 * Removes the marker from the text of an answer: 0.3 µs, where writing the parsed answer takes 1.8 (700 bytes,
 * interleaved). `marker` is the one that its message carries. Undefined where the text alone does not show what to cut:
 * the caller then writes the parsed answer.
 */
export function cutMarker(text: string, marker: string | undefined): string | undefined {
  if (text.length > MAX_CUT_LENGTH || (text.includes('\\') && DISGUISE.test(text))) return undefined
  const nameAt = text.indexOf(MARKER_MEMBER)
  if (marker === undefined) return nameAt < 0 ? text : undefined
  // Within a JSON string a quote follows a backslash: what reads like this member, once and nowhere else, is it.
  const member = `"${MARKER_MEMBER}":"${marker}"`
  const start = nameAt - 1
  if (nameAt < 0 || !text.startsWith(member, start) || text.includes(MARKER_MEMBER, nameAt + 1)) return undefined
  const end = start + member.length
  if (text[start - 1] !== '{' || text[end] !== '}') return cutMember(text, start, end)
  const metadataAt = start - 1 - METADATA.length
  return text.startsWith(METADATA, metadataAt) ? cutMember(text, metadataAt, end + 1) : undefined
}

/** Cuts a member and the comma that parts it from another; undefined where it has none beside it. */
function cutMember(text: string, start: number, end: number): string | undefined {
  if (text[start - 1] === ',') return text.slice(0, start - 1) + text.slice(end)
  if (text[end] === ',') return text.slice(0, start) + text.slice(end + 1)
  return undefined
}
