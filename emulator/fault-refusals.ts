// Refusals and failures with a status of their own, and bytes that are no HTTP at all.
import { statusOf } from './error-codes.ts'
import { type ChatError, envelope, keyNotFound, keyScopeTooSmall, TOO_MANY } from './errors.ts'
import { type Exchange, end, headBytes, JSON_TYPE, respond, write } from './exchange.ts'
import type { Fault } from './faults.ts'
import { budgetHeaders } from './rate-limit.ts'

const DEFAULT_RETRY_AFTER = 15
const SECOND_MS = 1000

const html = (status: number): string =>
  `<html>\r\n<head><title>${status}</title></head>\r\n<body>\r\n<center><h1>${status}</h1></center>\r\n</body>\r\n</html>\r\n`

function refuse(exchange: Exchange, status: number, { code, message, refusal }: ChatError): void {
  respond(exchange, { status, headers: JSON_TYPE, body: JSON.stringify(envelope(code, message, refusal)) })
}

function sendRateLimited(exchange: Exchange, fault: Fault & { kind: 'rate-limited' }): void {
  const { retryAfter = DEFAULT_RETRY_AFTER, dialect = 'X-Rate-Limit' } = fault
  const waitMs = typeof retryAfter === 'number' ? retryAfter * SECOND_MS : 0
  const budget = { limit: 500, remaining: 0, resetAtMs: exchange.record.atMs + waitMs }
  const headers = {
    ...JSON_TYPE,
    ...budgetHeaders(dialect, budget, true),
    ...(retryAfter !== null && { 'Retry-After': String(retryAfter) })
  }
  respond(exchange, { status: 429, headers, body: JSON.stringify(envelope('ERR_TOO_MANY_REQUESTS', TOO_MANY)) })
}

function sendServerError(exchange: Exchange, { status = 500, format }: Fault & { kind: 'server-error' }): void {
  if (format === 'html') {
    respond(exchange, { status, headers: { 'content-type': 'text/html' }, body: html(status) })
    return
  }
  const body = JSON.stringify(envelope('ERR_MISSION_FAILED', 'Something went wrong. Please try again later.'))
  respond(exchange, { status, headers: JSON_TYPE, body })
}

async function sendCanned(exchange: Exchange, fault: Fault & { kind: 'answer' }): Promise<void> {
  const { status, headers = JSON_TYPE, body, rawStatusLine } = fault
  if (rawStatusLine === undefined) {
    respond(exchange, { status, headers, body })
    return
  }
  exchange.record.status = status
  const length = { 'content-length': String(Buffer.byteLength(body)) }
  const head = headBytes({ statusLine: rawStatusLine, headers: { ...length, connection: 'close', ...headers } })
  await write(exchange, Buffer.concat([Buffer.from(head), Buffer.from(body)]))
  await end(exchange, 'close')
}

async function sendRaw(exchange: Exchange, fault: Fault & { kind: 'raw' }): Promise<void> {
  await write(exchange, fault.bytes)
  if (fault.ending !== 'stay') await end(exchange, fault.ending ?? 'close')
}

/** Undefined when the fault is of another family. */
export function performRefusal(fault: Fault, exchange: Exchange): Promise<void> | undefined {
  const key = exchange.keyInText(exchange.record.headers['apikey'] ?? '')
  switch (fault.kind) {
    case 'key-revoked':
      return Promise.resolve(refuse(exchange, 401, keyNotFound(key)))
    case 'key-scope':
      return Promise.resolve(refuse(exchange, 403, keyScopeTooSmall(key)))
    case 'rate-limited':
      return Promise.resolve(sendRateLimited(exchange, fault))
    case 'server-error':
      return Promise.resolve(sendServerError(exchange, fault))
    case 'error': {
      const { code, status = statusOf(code), devMessage, details } = fault
      const { message = `The request was refused with ${code}.` } = fault
      const refusal = { ...(devMessage !== undefined && { devMessage }), ...(details && { details }) }
      respond(exchange, { status, headers: JSON_TYPE, body: JSON.stringify(envelope(code, message, refusal)) })
      return Promise.resolve()
    }
    case 'redirect':
      respond(exchange, { status: fault.status ?? 307, headers: { location: fault.location }, body: '' })
      return Promise.resolve()
    case 'unasked-upgrade':
      return sendRaw(exchange, {
        kind: 'raw',
        bytes: headBytes({ status: 101, headers: { connection: 'Upgrade', upgrade: 'websocket' } }),
        ending: 'stay'
      })
    case 'answer':
      return sendCanned(exchange, fault)
    case 'raw':
      return sendRaw(exchange, fault)
    default:
      return undefined
  }
}
