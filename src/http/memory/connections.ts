import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { AppError } from '../../errors.ts'
import { networkOf } from '../../lib/network.ts'
import { createLedger } from '../../lib/service/ledger.ts'

export interface ConnectionsOptions {
  readonly max: number
  /** Whether an address may hold them all: a proxy in front, or this machine. */
  readonly isExempt: (address: string | undefined) => boolean
  /** Answers a connection that has not asked for anything, and ends it. */
  readonly refuse: (refusal: AppError, socket: Socket) => void
}

/** A connection too many has so long for its request, which is then refused by the usual way. */
const PATIENCE_MS = 1000
/** So many of those at once; beyond them Node closes what comes without a word. */
const SPARE = 256

/** Bounds the connections of a server, idle ones included; the newest are the ones that are refused. */
export class Connections {
  readonly #surplus = new WeakSet<Socket>()
  readonly #options: ConnectionsOptions

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  watch(server: Server): void {
    const { max, isExempt } = this.#options
    const ledger = createLedger(max)
    server.maxConnections = max + SPARE
    server.on('connection', (socket: Socket) => {
      const address = socket.remoteAddress ?? ''
      const holder = isExempt(address) ? undefined : networkOf(address)
      if (ledger.book(holder, 1)) socket.once('close', () => ledger.free(holder, 1))
      else this.#add(socket)
    })
  }

  /** Throws `overloaded` for a request on a connection too many. */
  check(socket: Socket): void {
    if (this.#surplus.has(socket)) throw tooMany()
  }

  #add(socket: Socket): void {
    this.#surplus.add(socket)
    const silent = setTimeout(() => {
      if (socket.bytesRead === 0) this.#options.refuse(tooMany(), socket)
    }, PATIENCE_MS)
    socket.once('close', () => clearTimeout(silent))
  }
}

function tooMany(): AppError {
  return new AppError('overloaded', 'Too many connections are open at the moment.', {
    retryAfterMs: 1000,
    reason: 'connections'
  })
}
