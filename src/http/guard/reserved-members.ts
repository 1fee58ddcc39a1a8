import { isObject } from '../../lib/json.ts'
import { MAX_VIOLATIONS, type Violation } from '../../lib/refusals/violations.ts'
import { rememberNames } from '../remember-names.ts'
import { memberPointer } from './body-hygiene.ts'

/** Identity and secrets: refused in any spelling, because stripping them would hide a confused client. */
const RESERVED: ReadonlySet<string> = new Set([
  'sender',
  'onbehalfof',
  'uid',
  'muid',
  'parentid',
  'apikey',
  'appid',
  'authtoken'
])
/** The name that a UI Kit gives its own bubble is no identity; only there, and only so written, is it for callers. */
const OF_CALLERS = 'muid'
/** What CometChat writes below `data`; a UI Kit draws the sender that it finds in `entities`. */
export const WRITTEN_BY_COMETCHAT: ReadonlySet<string> = new Set([
  'entities',
  'moderation',
  'reactions',
  'resource',
  'action'
])
/** Where CometChat's extensions write. */
const EXTENSIONS = '@injected'

/**
 * Makes the search for members that would set identity, secrets or what only this service may write: in the body, in its
 * `data` and in `data.metadata`.
 */
export function createReservedMembers(metadataNames: readonly string[]): (body: unknown) => Violation[] {
  const plain = (name: string): string => name.replaceAll(/[-_]/g, '').toLowerCase()
  const isReserved = rememberNames(name => name !== OF_CALLERS && RESERVED.has(plain(name)))
  const isReservedBelowData = rememberNames(name => RESERVED.has(plain(name)) || WRITTEN_BY_COMETCHAT.has(plain(name)))
  const reservedMetadata = new Set([EXTENSIONS, ...metadataNames])
  const isReservedMetadata = (name: string): boolean => reservedMetadata.has(name)

  return body => {
    const data = memberOf(body, 'data')
    const pointers: string[] = []
    collect(body, '', isReserved, pointers)
    collect(data, '/data', isReservedBelowData, pointers)
    collect(memberOf(data, 'metadata'), '/data/metadata', isReservedMetadata, pointers)
    if (pointers.length === 0) return []
    return pointers
      .slice(0, MAX_VIOLATIONS)
      .map(pointer => ({ pointer, code: 'reserved-name', detail: 'It is not for callers to set.' }))
  }
}

function collect(value: unknown, pointer: string, isReserved: (name: string) => boolean, pointers: string[]): void {
  if (!isObject(value)) return
  for (const name of Object.keys(value)) if (isReserved(name)) pointers.push(memberPointer(pointer, name))
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}
