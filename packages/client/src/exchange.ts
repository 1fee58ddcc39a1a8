import type { ClientCode, Problem, ServiceCode } from './problems.ts'
import type { Fetch } from './types.ts'

/** Longer than the service takes to say that it does not know. */
const PATIENCE_MS = 30_000

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked at where it is used.
export type Json = any

export type Answer =
  | { readonly json: Json; readonly problem?: undefined }
  | { readonly problem: Problem; readonly json?: undefined }

export const problemOf = (code: ClientCode | ServiceCode, more: Partial<Omit<Problem, 'code'>> = {}): Problem =>
  ({ code, status: 0, delivery: 'unknown', retryable: true, ...more }) as Problem

/**
 * One request, and what is known after it: an answer that is not the service's says nothing. `isWhole` tells whether one
 * is of the route that was asked. Never rejects.
 */
export async function exchange(
  fetch: Fetch,
  url: string,
  init: RequestInit,
  isWhole: (json: Json) => unknown
): Promise<Answer> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), PATIENCE_MS)
  try {
    const answer = await fetch(url, { ...init, signal: abort.signal })
    const { ok, status, headers } = answer
    const json = parse(await answer.text()) ?? {}
    if (ok && isWhole(json)) return { json }
    // Every refusal of the service has these; what a gateway says of itself has not.
    if (json.code && json.delivery) return { problem: json }
    const retryAfterMs = Math.max(0, Number(headers.get('retry-after')) * 1000) || 0
    return { problem: problemOf('not-ours', { status, retryAfterMs }) }
  } catch {
    return { problem: problemOf('no-answer') }
  } finally {
    clearTimeout(timer)
  }
}

export function parse(text: string | null | undefined): Json {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
