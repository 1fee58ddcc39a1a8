import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Whether the client of a request still waits for its answer. A FIN right behind the request is a half-close (RFC 9112
 * §9.6): that client listens. A later one is a client that left, as a reset is: browsers and libraries that give up send
 * nothing else, and nothing can be written to ask them. A client that half-closes does so when it has written its request,
 * so both are here when sockets are read next; on a busy machine that is later, and the same turn of the event loop.
 */
export class ClientPresence {
  readonly #endedIn = new WeakMap<Socket, number>()
  /** Turns of the event loop while requests begin, counted. */
  #turn = 0
  #isCounting = false
  #isNextNeeded = false

  watch(server: Server): void {
    const presence = this
    const onEnd = function (this: Socket): void {
      presence.#endedIn.set(this, presence.#turn)
    }
    server.on('connection', (socket: Socket) => void socket.once('end', onEnd))
  }

  /** To be called once the request is whole. */
  of({ socket }: IncomingMessage): () => boolean {
    const last = this.#nextTurn()
    return () => !socket.destroyed && (this.#endedIn.get(socket) ?? last) <= last
  }

  /** The turn in which a FIN still comes right behind a request that is whole now. */
  #nextTurn(): number {
    if (this.#isCounting) {
      this.#isNextNeeded = true
      return this.#turn + 1
    }
    this.#isCounting = true
    // The first runs at the end of this turn, the second when sockets have been read once more.
    setImmediate(() => setImmediate(() => this.#count()))
    return this.#turn
  }

  #count(): void {
    this.#turn++
    if (this.#isNextNeeded) setImmediate(() => this.#count())
    else this.#isCounting = false
    this.#isNextNeeded = false
  }
}
