import { createRandomIds } from '../lib/random-id.ts'

const SAFE_ID = /^[A-Za-z0-9._-]{8,64}$/

/** Takes the caller's `X-Request-Id` where it is safe to repeat in headers and logs, else makes a new one. */
export function createRequestIds(): (incoming: string | string[] | undefined) => string {
  const randomId = createRandomIds()
  return incoming => (typeof incoming === 'string' && SAFE_ID.test(incoming) ? incoming : randomId())
}
