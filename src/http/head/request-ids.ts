// What tells one request from another: its id, and the trace that it belongs to.
import { randomUUID } from 'node:crypto'

const SAFE_ID = /^[A-Za-z0-9._-]{8,64}$/
const SHOWN_ID = /^[\w.:/@+=[\]-]{1,128}$/
/** W3C Trace Context §3.2.2, version 00: neither id is all zeros. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** The caller's `X-Request-Id` where it is safe to repeat in headers and logs, else a new one. */
export function requestIdOf(incoming: string | string[] | undefined): string {
  return typeof incoming === 'string' && SAFE_ID.test(incoming) ? incoming : randomUUID()
}

/** The id that a host's app gave a request, where answers and lines can hold it as it is, else a new one. */
export function shownRequestId(id: unknown): string {
  return typeof id === 'string' && SHOWN_ID.test(id) ? id : randomUUID()
}

/** A `traceparent` header as it came; undefined for one that is not valid, which the standard lets a reader ignore. */
export function parseTraceparent(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && TRACEPARENT.test(value) ? value : undefined
}

/** The trace id in a valid `traceparent`: 32 hexadecimal digits. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent?.split('-')[1]
}
