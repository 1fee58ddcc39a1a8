import { randomUUID } from 'node:crypto'

const SAFE_ID = /^[A-Za-z0-9._-]{8,64}$/

/** The caller's `X-Request-Id` where it is safe to repeat in headers and logs, else a new one. */
export function requestIdOf(incoming: string | string[] | undefined): string {
  return typeof incoming === 'string' && SAFE_ID.test(incoming) ? incoming : randomUUID()
}
