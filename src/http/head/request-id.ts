import { randomUUID } from 'node:crypto'

const SAFE_ID = /^[A-Za-z0-9._-]{8,64}$/

/** Takes the caller's `X-Request-Id` where it is safe to repeat in headers and logs, else makes a new one. */
export function createRequestIds(): (incoming: string | string[] | undefined) => string {
  return incoming => (typeof incoming === 'string' && SAFE_ID.test(incoming) ? incoming : randomUUID())
}
