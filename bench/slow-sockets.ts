// Clients that are slow in four ways, a quarter each.
import { connect, type Socket } from 'node:net'
import { answerParent } from './child.ts'

const HEAD = 'POST /threads/100/replies HTTP/1.1\r\nHost: 127.0.0.1\r\n'
const BODY = 'Content-Type: application/json\r\nContent-Length: 9000\r\n\r\n{'
const ASKED = 'GET /threads/100/replies HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
const ASKED_TIMES = 10
const AT_ONCE = 100
const DRIP_MS = 1000

interface Kind {
  readonly begin: string
  readonly drip: string
  readonly reads: boolean
}

interface Crowd {
  readonly port: number
  readonly count: number
  /** Of a caller whose bodies are slow. */
  readonly token: string
}

const sockets = new Map<Socket, Kind>()

answerParent('ready', {
  async open({ port, count, token }: Crowd) {
    const kinds: readonly Kind[] = [
      { begin: `${HEAD}X: `, drip: 'a', reads: true },
      { begin: `${HEAD}Authorization: Bearer ${token}\r\n${BODY}`, drip: ' ', reads: true },
      { begin: ASKED.repeat(ASKED_TIMES), drip: '', reads: false },
      { begin: '', drip: '', reads: true }
    ]
    for (let opened = 0; opened < count; opened += AT_ONCE) {
      const kindOf = (at: number) => kinds[(opened + at) % kinds.length] as Kind
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - opened) }, (_, at) => open(port, kindOf(at))))
    }
  },
  close() {
    for (const socket of sockets.keys()) socket.destroy()
    sockets.clear()
  }
})

setInterval(() => {
  for (const [socket, { drip }] of sockets) if (drip !== '' && socket.writable) socket.write(drip)
}, DRIP_MS)

function open(port: number, kind: Kind): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' })
  sockets.set(socket, kind)
  socket.on('error', () => undefined)
  if (kind.reads) socket.resume()
  return new Promise(resolve => {
    socket.once('close', resolve).once('connect', () => {
      if (kind.begin !== '') socket.write(kind.begin)
      resolve()
    })
  })
}
