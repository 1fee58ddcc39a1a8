import type { Server } from 'node:http'
import type { Socket } from 'node:net'

export interface UnreadAnswersOptions {
  /** How often it is looked, in milliseconds. */
  readonly everyMs?: number
  /** So many looks long a client may leave what it was answered. */
  readonly maxLooks?: number
  /** So much all clients together may leave. */
  readonly maxBytes?: number
}

const EVERY_MS = 1000
/** As many seconds as a client may take to send its request. */
const MAX_LOOKS = 15
const MAX_BYTES = 32 * 1024 * 1024

interface Unread {
  /** Of all bytes for this client, counted from its first, those that it must have taken. */
  readonly upTo: number
  looks: number
}

/**
 * Ends the connections of clients that do not take their answers, which wait in memory for them: whose took too long, and,
 * where all of them together are too much, those that have the most. What the system takes for a client counts as read.
 * It is looked once in a while, because each answer would pay for a timer; and looks are counted instead of time, because
 * while this process stands still no client can take anything.
 */
export class UnreadAnswers {
  readonly #open = new Set<Socket>()
  readonly #unread = new Map<Socket, Unread>()
  readonly #everyMs: number
  readonly #maxLooks: number
  readonly #maxBytes: number

  constructor({ everyMs = EVERY_MS, maxLooks = MAX_LOOKS, maxBytes = MAX_BYTES }: UnreadAnswersOptions = {}) {
    this.#everyMs = everyMs
    this.#maxLooks = maxLooks
    this.#maxBytes = maxBytes
  }

  watch(server: Server): void {
    const open = this.#open
    const unread = this.#unread
    // One listener for all sockets, thousands of which may be open.
    const forget = function (this: Socket): void {
      open.delete(this)
      unread.delete(this)
    }
    server.on('connection', (socket: Socket) => void open.add(socket.on('close', forget)))
    server.on('listening', () => {
      const timer = setInterval(() => this.look(), this.#everyMs).unref()
      server.once('close', () => clearInterval(timer))
    })
  }

  /** Once; a server that is watched is looked at by itself. */
  look(): void {
    const waiting: Socket[] = []
    for (const socket of this.#open) {
      if (socket.writableLength === 0) this.#unread.delete(socket)
      else if (this.#isOver(socket)) socket.resetAndDestroy()
      else waiting.push(socket)
    }
    this.#free(waiting)
  }

  /** A string counts as its characters in `writableLength`: a client that is sent others seems to have taken a few more. */
  #isOver(socket: Socket): boolean {
    const known = this.#unread.get(socket)
    if (known && socket.bytesWritten - socket.writableLength < known.upTo) return ++known.looks > this.#maxLooks
    this.#unread.set(socket, { upTo: socket.bytesWritten, looks: 0 })
    return false
  }

  #free(waiting: Socket[]): void {
    let bytes = waiting.reduce((sum, { writableLength }) => sum + writableLength, 0)
    if (bytes <= this.#maxBytes) return
    for (const socket of waiting.sort((a, b) => b.writableLength - a.writableLength)) {
      if (bytes <= this.#maxBytes) return
      bytes -= socket.writableLength
      // A reset also frees what the system holds for the client.
      socket.resetAndDestroy()
    }
  }
}
