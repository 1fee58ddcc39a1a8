// The socket side: it reads requests, keeps a record of each, and lets faults get in between.
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Admin } from './admin.ts'
import type { Api } from './api.ts'
import type { Answer } from './context.ts'
import { type Exchange, type ProperAnswer, sendAnswer } from './exchange.ts'
import type { FaultQueue } from './fault-queue.ts'
import type { Fault } from './faults.ts'
import type { Ledger } from './ledger.ts'
import { actsBeforeReading, performFault } from './perform-fault.ts'
import type { Switches } from './switches.ts'
import type { ReceivedRequest } from './types.ts'

/** Longer than any client's keep-alive in the tests: the emulator never closes an idle connection by itself. */
const KEEP_ALIVE_MS = 65_000
const MAX_HEADER_BYTES = 64 * 1024

export interface ServerParts {
  readonly api: Api
  readonly admin: Admin | undefined
  readonly faults: FaultQueue
  readonly ledger: Ledger
  readonly switches: Switches
  /** The key as an error text shows it. */
  readonly keyInText: (key: string) => string
  readonly now: () => number
  readonly onRequest: (record: ReceivedRequest) => void
  readonly watch: RequestWatch | undefined
}

/** What somebody who looks on is told of a request. A `record` is one object from its beginning to its end. */
export interface RequestWatch {
  /** The head is here. */
  readonly received: (record: ReceivedRequest) => void
  /** A proper answer is given; one that a fault writes to the socket by itself is not told. */
  readonly answered: (record: ReceivedRequest, answer: ProperAnswer) => void
  /** The answer is sent, or the connection is over. */
  readonly ended: (record: ReceivedRequest) => void
}

export interface RunningServer {
  readonly url: string
  readonly port: number
  readonly stop: () => Promise<void>
}

/** A repeated header is one value joined by commas, as HTTP has it. */
function joinHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const name in headers) joined[name] = String(headers[name])
  return joined
}

function readBody(req: IncomingMessage, done: (body: string) => void): void {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => done(chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString()))
}

export function createChatServer(parts: ServerParts) {
  const { api, admin, faults, ledger, switches, keyInText, now, onRequest, watch } = parts
  const connections = new Map<Socket, number>()
  const poison = new WeakMap<Socket, string>()
  let accepted = 0

  const accept = (socket: Socket): void => {
    accepted += 1
    connections.set(socket, accepted)
    socket.on('close', () => connections.delete(socket))
    // A client that leaves is no error of the emulator; 'close' follows.
    socket.on('error', () => undefined)
    const fault = faults.takeForConnection()
    if (fault?.kind === 'reset-at-connect') socket.resetAndDestroy()
    else if (fault) socket.destroy()
  }

  const toRecord = ({ method = '', url = '', rawHeaders, headers, socket }: IncomingMessage): ReceivedRequest => ({
    method,
    path: url,
    rawHeaders,
    headers: joinHeaders(headers),
    atMs: now(),
    connection: connections.get(socket) ?? 0,
    body: ''
  })

  const toExchange = (req: IncomingMessage, res: ServerResponse, record: ReceivedRequest, signal: AbortSignal) => {
    const onBehalfOf = record.headers['onbehalfof'] ?? null
    let answer: Answer | undefined
    const exchange: Exchange = {
      res,
      socket: req.socket,
      record,
      answer: () => {
        answer ??= api(record)
        return answer
      },
      commit: ({ posts, effect }) => ledger.post({ posts, effect, onBehalfOf }),
      commitLater: ({ posts, effect }, afterMs) => ledger.postLater({ posts, effect, onBehalfOf }, afterMs),
      keyInText,
      ledger,
      poisonNext: bytes => void poison.set(req.socket, bytes),
      answered: answer => watch?.answered(record, answer),
      signal
    }
    return exchange
  }

  const perform = (fault: Fault, exchange: Exchange): void => {
    performFault(fault, exchange).catch((error: unknown) => {
      // A defect of the emulator must be seen, not taken for one more fault.
      process.nextTick(() => {
        throw error
      })
    })
  }

  const follow = (record: ReceivedRequest, res: ServerResponse): void => {
    if (!watch) return
    watch.received(record)
    res.once('close', () => watch.ended(record))
  }

  const handle = (req: IncomingMessage, res: ServerResponse, signal: AbortSignal): void => {
    if (admin && req.url?.startsWith('/_emulator/')) {
      readBody(req, body => admin({ method: req.method ?? '', path: req.url ?? '', body }, res))
      return
    }
    ledger.commitDue()
    // Its own clock, not the machine's: what is older than what is judged by it.
    res.sendDate = false
    if (switches.dateHeader) res.setHeader('date', new Date(now()).toUTCString())
    const record = toRecord(req)
    onRequest(record)
    follow(record, res)
    const poisoned = poison.get(req.socket)
    if (poisoned !== undefined) req.socket.write(poisoned)
    poison.delete(req.socket)
    const fault = faults.takeForRequest(record.method, record.path)
    if (fault) record.fault = fault.kind
    const exchange = toExchange(req, res, record, signal)
    if (fault && actsBeforeReading(fault)) {
      perform(fault, exchange)
      return
    }
    readBody(req, body => {
      record.body = body
      if (fault) {
        perform(fault, exchange)
        return
      }
      const answer = exchange.answer()
      exchange.commit(answer)
      sendAnswer(exchange, answer)
    })
  }

  const stopServer = (server: Server, stopping: AbortController): Promise<void> =>
    new Promise(resolve => {
      stopping.abort()
      server.close(() => resolve())
      for (const socket of connections.keys()) socket.destroy()
    })

  return {
    start: ({ port, host }: { readonly port: number; readonly host: string }): Promise<RunningServer> =>
      new Promise((resolve, reject) => {
        const stopping = new AbortController()
        const options = { keepAliveTimeout: KEEP_ALIVE_MS, maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0 }
        const server = createServer(options, (req, res) => handle(req, res, stopping.signal))
        server.on('connection', accept)
        server.once('error', reject)
        server.listen(port, host, () => {
          // It listens on TCP, where an address is always of this shape.
          const { port: bound } = server.address() as AddressInfo
          const shownHost = host.includes(':') ? `[${host}]` : host
          resolve({ url: `http://${shownHost}:${bound}`, port: bound, stop: () => stopServer(server, stopping) })
        })
      })
  }
}
