// The healthy answer, badly transported.
import { gzipSync } from 'node:zlib'
import { type Exchange, end, headBytes, JSON_TYPE, sendAnswer, waited, write } from './exchange.ts'
import { foreignMessage } from './fault-contents.ts'
import type { Fault } from './faults.ts'

const DRIP_EVERY_MS = 50
const IDLE_MS = 20

interface Rendered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The head is written by hand after this, with what the server has set already: the date. */
function render({ answer, record, res }: Exchange): Rendered {
  const { status, headers, body, afterAnswer } = answer()
  record.status = status
  const date = res.getHeader('date')
  const rendered = JSON.stringify(body())
  afterAnswer?.()
  return { status, headers: { ...(date && { date: String(date) }), ...JSON_TYPE, ...headers }, body: rendered }
}

const withLength = ({ status, headers, body }: Rendered): string =>
  headBytes({ status, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) } })

const firstHalf = (body: string): string => body.slice(0, Math.ceil(body.length / 2))

async function drip(exchange: Exchange, text: string, everyMs = DRIP_EVERY_MS, size = 1): Promise<void> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) {
    if (!(await waited(exchange, everyMs))) return
    await write(exchange, bytes.subarray(at, at + size))
  }
}

async function sendExtra(exchange: Exchange, fault: Fault & { kind: 'extra-answer' }): Promise<void> {
  const { socket, answer, poisonNext } = exchange
  const body = fault.body ?? JSON.stringify({ data: foreignMessage(exchange, 'other-user') })
  const extra = withLength({ status: 200, headers: JSON_TYPE, body }) + body
  if (fault.when === 'next-request') poisonNext(extra)
  socket.cork()
  sendAnswer(exchange, answer())
  if (fault.when === 'same-write') socket.write(extra)
  socket.uncork()
  if (fault.when === 'idle' && (await waited(exchange, IDLE_MS))) await write(exchange, extra)
}

function sendGzip({ answer, res, record }: Exchange): void {
  const { status, headers, body, afterAnswer } = answer()
  record.status = status
  const zipped = gzipSync(JSON.stringify(body()))
  const about = { ...JSON_TYPE, ...headers, 'content-encoding': 'gzip', 'content-length': String(zipped.length) }
  res.writeHead(status, about).end(zipped)
  afterAnswer?.()
}

async function sendHalf(exchange: Exchange, fault: Fault & { kind: 'half-body' | 'truncated-chunked' }): Promise<void> {
  const rendered = render(exchange)
  const half = firstHalf(rendered.body)
  if (fault.kind === 'half-body') {
    await write(exchange, withLength(rendered) + half)
  } else {
    const headers = { ...rendered.headers, 'transfer-encoding': 'chunked' }
    const chunk = `${Buffer.byteLength(half).toString(16)}\r\n${half}\r\n`
    await write(exchange, headBytes({ status: rendered.status, headers }) + chunk)
  }
  await end(exchange, fault.ending ?? 'close')
}

async function sendAndClose(exchange: Exchange, fault: Fault & { kind: 'close-after-answer' }): Promise<void> {
  sendAnswer(exchange, exchange.answer())
  if (await waited(exchange, fault.afterMs ?? IDLE_MS)) await end(exchange, fault.ending ?? 'close')
}

/** Undefined when the fault is of another family. */
export function performTransportFault(fault: Fault, exchange: Exchange): Promise<void> | undefined {
  switch (fault.kind) {
    case 'delay':
      return waited(exchange, fault.delayMs ?? 0).then(still => {
        if (still) sendAnswer(exchange, exchange.answer())
      })
    case 'stall-after-headers':
      return write(exchange, withLength(render(exchange)))
    case 'stall-in-body': {
      const rendered = render(exchange)
      return write(exchange, withLength(rendered) + firstHalf(rendered.body))
    }
    case 'drip-headers': {
      const rendered = render(exchange)
      return drip(exchange, withLength(rendered) + rendered.body, fault.everyMs, fault.bytes)
    }
    case 'drip-body': {
      const rendered = render(exchange)
      return write(exchange, withLength(rendered)).then(() => drip(exchange, rendered.body, fault.everyMs, fault.bytes))
    }
    case 'half-body':
    case 'truncated-chunked':
      return sendHalf(exchange, fault)
    case 'close-delimited-half': {
      const { status, headers, body } = render(exchange)
      const head = headBytes({ status, headers: { ...headers, connection: 'close' } })
      return write(exchange, head + firstHalf(body)).then(() => end(exchange, 'close'))
    }
    case 'gzip':
      return Promise.resolve(sendGzip(exchange))
    case 'early-hints': {
      const hint = headBytes({ status: 103, headers: { link: '</style.css>; rel=preload' } })
      return write(exchange, hint.repeat(fault.count ?? 50)).then(() => sendAnswer(exchange, exchange.answer()))
    }
    case 'extra-answer':
      return sendExtra(exchange, fault)
    case 'close-after-answer':
      return sendAndClose(exchange, fault)
    default:
      return undefined
  }
}
