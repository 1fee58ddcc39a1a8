// The least that the compared programs take for CometChat, on a bare socket: cheap, so that the bench is busy with them
// and not with it. It refuses what lacks the key or a user, and answers with the message that was asked for.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

const REQUEST_LINE = /^POST \/v3\/messages\/([1-9]\d*)\/thread HTTP\/1\.1\r\n/
const LENGTH = /\r\ncontent-length: *(\d+)/i
const SENDER = /\r\nonbehalfof: *([a-z0-9_-]{1,100})\r\n/i
const MARKER = /"bffDelivery":"([\w-]{22})"/
/** About as much as CometChat describes a text message and its sender with. */
const ABOUT_BYTES = 800

const key = process.env['API_KEY'] ?? ''
const KEY = new RegExp(`\\r\\napikey: *${key}\\r\\n`, 'i')
const about = JSON.stringify({
  name: 'A user of the bench',
  avatar: 'https://avatars.example/user.png',
  status: 'available',
  role: 'default',
  lastActiveAt: 1_790_000_000,
  conversationId: 'bench_user_bob',
  tags: ['bench'],
  link: `https://app.example/users/${'a'.repeat(ABOUT_BYTES - 300)}`
})

let posts = 0
let delayMs = 0
let isHanging = false
/** Of a hundred posts so many meet a fault, in turn. */
let faultPercent = 0
let faultsDue = 0
let faults = 0
/** What CometChat can do at once; the rest waits there, first come, first served. */
let capacity = Number.POSITIVE_INFINITY
let underWay = 0
const waiting: (() => void)[] = []

/** The head must be there; answers once the whole request is, and says how many bytes that was. */
function answerTo(text: string, socket: Socket): number {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd === -1) return 0
  const head = text.slice(0, headEnd + 2)
  const end = headEnd + 4 + Number(LENGTH.exec(head)?.[1] ?? 0)
  if (text.length < end) return 0
  const fault = nextFault()
  const answer = fault?.isPosted === false ? '' : reply(head, text.slice(headEnd + 4, end))
  if (isHanging) return end
  if (fault) {
    fault.meet(socket, answer)
    return end
  }
  if (delayMs > 0) inTurn(() => void socket.write(answer))
  else socket.write(answer)
  return end
}

interface Fault {
  readonly isPosted: boolean
  readonly meet: (socket: Socket, answer: string) => void
}

/** What CometChat and the way to it do on a bad day; of three the message is there all the same. */
const FAULTS: readonly Fault[] = [
  {
    isPosted: false,
    meet: socket => void socket.write(message(500, '{"error":{"code":"ERR_INTERNAL_SERVER_ERROR"}}'))
  },
  { isPosted: true, meet: socket => void socket.resetAndDestroy() },
  { isPosted: false, meet: socket => void socket.write(message(502, '<html>Bad Gateway</html>')) },
  { isPosted: true, meet: (socket, answer) => void socket.end(answer.slice(0, answer.length / 2)) },
  { isPosted: false, meet: socket => void socket.resetAndDestroy() },
  { isPosted: true, meet: socket => void socket.write(message(200, '{"data":"nothing that can be read"}')) }
]

function nextFault(): Fault | undefined {
  faultsDue += faultPercent / 100
  if (faultsDue < 1) return undefined
  faultsDue--
  return FAULTS[faults++ % FAULTS.length]
}

function inTurn(work: () => void): void {
  if (underWay >= capacity) {
    waiting.push(work)
    return
  }
  underWay++
  setTimeout(() => {
    underWay--
    work()
    const next = waiting.shift()
    if (next) inTurn(next)
  }, delayMs)
}

function reply(head: string, body: string): string {
  const parentId = REQUEST_LINE.exec(head)?.[1]
  const sender = SENDER.exec(head)?.[1]
  if (parentId === undefined) return refusal(404, 'ERR_API_NOT_FOUND')
  if (!KEY.test(head)) return refusal(401, 'AUTH_ERR_APIKEY_NOT_FOUND')
  if (sender === undefined) return refusal(400, 'ERR_BAD_REQUEST')
  posts++
  const marker = MARKER.exec(body)?.[1]
  const metadata = marker === undefined ? '' : `,"metadata":{"bffDelivery":"${marker}"}`
  const sentAt = Math.floor(Date.now() / 1000)
  return message(
    200,
    `{"data":{"id":"${1000 + posts}","parentId":"${parentId}","sender":"${sender}","receiver":"bob","receiverType":"user",` +
      `"category":"message","type":"text","data":{"text":"Yes, on Friday at ten."${metadata},"entities":{"sender":` +
      `{"entity":${about},"entityType":"user"}}},"sentAt":${sentAt},"updatedAt":${sentAt}}}`
  )
}

function refusal(status: number, code: string): string {
  return message(status, `{"error":{"code":"${code}","message":"The bench does not do this."}}`)
}

function message(status: number, body: string): string {
  return `HTTP/1.1 ${status} -\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

/** Listens on a port of its own and returns its address. */
export async function startUpstream(): Promise<string> {
  const server = createServer({ noDelay: true }, answerEach).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
}

function answerEach(socket: Socket): void {
  let received = ''
  socket.setEncoding('latin1')
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: string) => {
    received += chunk
    for (let end = answerTo(received, socket); end > 0; end = answerTo(received, socket)) received = received.slice(end)
  })
}

export const upstreamHandlers = {
  /** The same over TLS: the port, on localhost. */
  async listenTls(identity: { readonly cert: string; readonly key: string }): Promise<number> {
    const server = createTlsServer({ ...identity, noDelay: true }, answerEach).listen(0, 'localhost')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },
  posts: () => posts,
  delay(ms: number) {
    delayMs = ms
  },
  /** How many posts can be under way, each for the delay. */
  capacity(count: number) {
    capacity = count
  },
  /** From now on so many of a hundred posts meet a fault. */
  fail(percent: number) {
    faultPercent = percent
  },
  hang(hangs: boolean) {
    isHanging = hangs
  }
}
