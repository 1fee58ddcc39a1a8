import { connect, type Socket } from 'node:net'

const HEAD_END = Buffer.from('\r\n\r\n')
const CHUNKS_END = Buffer.from('\r\n0\r\n\r\n')
const LENGTH = /\r\ncontent-length: *(\d+)/i

/** One connection: a request, its whole answer, the next request. */
export class Connection {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #resolve: ((answer: Buffer) => void) | undefined
  #reject: ((error: Error) => void) | undefined
  #closed: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', chunk => this.#take(chunk))
    socket.on('error', error => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('a connection was closed')))
  }

  static connect(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new Connection(socket))
      })
    })
  }

  get isOpen(): boolean {
    return this.#closed === undefined
  }

  exchange(request: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed)
      this.#resolve = resolve
      this.#reject = reject
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#reject = undefined
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    if (!isComplete(this.#received)) return
    const answer = this.#received
    this.#received = Buffer.alloc(0)
    this.#resolve?.(answer)
  }

  #fail(error: Error): void {
    this.#closed = error
    this.#reject?.(error)
  }
}

function isComplete(bytes: Buffer): boolean {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd === -1) return false
  const length = LENGTH.exec(bytes.toString('latin1', 0, headEnd))?.[1]
  if (length !== undefined) return bytes.length >= headEnd + HEAD_END.length + Number(length)
  return bytes.subarray(-CHUNKS_END.length).equals(CHUNKS_END)
}
