// What stands in the lines of the audit file, each as the members of a JSON object without its braces.
import type { CallerFields, LogFields } from '../observability/log-fields.ts'
import type { ChainState } from './chain.ts'

/** Of a request: never a text, a header or an address. */
export type AuditFields = CallerFields &
  Pick<
    LogFields,
    | 'method'
    | 'route'
    | 'status'
    | 'code'
    | 'delivery'
    | 'reason'
    | 'messageId'
    | 'replayed'
    | 'explained'
    | 'attempts'
    | 'keyFingerprint'
  >

export interface Opening {
  readonly instance: string
  readonly pid: number
  readonly version: string
  readonly mode: 'on' | 'strict'
  /** The last line that the file held before. */
  readonly after: { readonly chain: string; readonly seq: number } | undefined
}

export function opening(open: Opening): string {
  return members({ kind: 'open', ...open })
}

/**
 * A request of a known caller, when it is answered. `subject` is the whole one; that of the fields may be cut. One literal for
 * one JSON.stringify, which leaves out what is undefined: member by member it costs three times as much.
 */
export function ofRequest(fields: AuditFields, subject = fields.subject): string {
  const { requestId, method, route, status, code, delivery, reason, scheme, issuer, uid, actors, parentId } = fields
  const { messageId, replayed, explained, attempts, keyFingerprint } = fields
  return members({
    kind: 'request',
    requestId,
    method,
    route,
    status,
    code,
    delivery,
    reason,
    scheme,
    issuer,
    subject,
    uid,
    actors,
    parentId,
    messageId,
    replayed,
    explained,
    attempts,
    keyFingerprint
  })
}

/** A reply that is about to be sent. */
export function ofIntent(fields: CallerFields, subject = fields.subject): string {
  const { requestId, scheme, issuer, uid, actors, parentId } = fields
  return members({ kind: 'intent', requestId, scheme, issuer, subject, uid, actors, parentId })
}

/** The chain goes on in another file. */
export function moved(): string {
  return members({ kind: 'moved' })
}

export function continued(from: ChainState): string {
  return members({ kind: 'continue', from })
}

export function checkpoint(): string {
  return members({ kind: 'checkpoint' })
}

/** What went wrong with writing before this line. */
export interface Gap {
  readonly since: string
  readonly reason: string
  /** How many lines were given up. */
  readonly lost: number
  /** SHA-256 of beginnings of lines that got into the file before the disk was full. */
  readonly torn: readonly string[]
}

export function gap(found: Gap): string {
  return members({ kind: 'gap', ...found })
}

export function closing(): string {
  return members({ kind: 'close' })
}

function members(object: object): string {
  return JSON.stringify(object).slice(1, -1)
}
