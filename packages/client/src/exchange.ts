import type { ClientCode, Problem, ServiceCode } from './problems.ts'

/** Longer than the service takes to say that it does not know. */
const PATIENCE_MS = 30_000
/** A gateway's Retry-After is honoured for an hour at most. */
const LONGEST_RETRY_AFTER_S = 3600
const OK = /^20[01]$/

export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly path: string
  /** Already JSON. */
  readonly body?: string
  readonly key?: string
  readonly keepalive?: boolean
  /** Whether the answer is one of this route of the service, and whole. */
  readonly isWhole: (json: Json) => boolean
}

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked at where it is used.
export type Json = any

export type Answer =
  | { readonly json: Json; readonly problem?: undefined }
  | { readonly problem: Problem; readonly json?: undefined }

export function problemOf(
  code: ClientCode | ServiceCode,
  status = 0,
  more: Partial<Omit<Problem, 'code'>> = {}
): Problem {
  return { code, status, delivery: 'unknown', retryable: true, ...more } as Problem
}

/** One request, and what is known after it: an answer that is not the service's says nothing. Never rejects. */
export async function exchange(
  fetch: (url: string, init: RequestInit) => Promise<Response>,
  url: string,
  { method, path, body, keepalive = false, isWhole }: Request,
  init: Pick<RequestInit, 'headers' | 'credentials'>
): Promise<Answer> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), PATIENCE_MS)
  try {
    const signal = abort.signal
    const answer = await fetch(url + path, { ...init, method, ...(body && { body, keepalive }), signal })
    const json = parse(await answer.text())
    if (OK.test(`${answer.status}`) && isWhole(json ?? {})) return { json }
    return { problem: isProblem(json) ? json : notOurs(answer) }
  } catch {
    return { problem: problemOf('no-answer') }
  } finally {
    clearTimeout(timer)
  }
}

/** Every refusal of the service has these; what a gateway says of itself has not. */
function isProblem(json: Json): json is Problem {
  return /^(sent|not-sent|unknown)$/.test(json?.delivery) && typeof json.retryable === 'boolean' && !!json.code
}

function notOurs({ status, headers }: Response): Problem {
  const seconds = Math.min(LONGEST_RETRY_AFTER_S, Number(headers.get('retry-after')) || 0)
  return problemOf('not-ours', status, seconds > 0 ? { retryAfterMs: seconds * 1000 } : {})
}

function parse(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
