// What a phone sends: through to the service, or straight to CometChat.
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { otherThan, type Phone, THREAD } from '../world/people.ts'
import { asText, pairsOf } from './redact.ts'
import { type Hop, requestText, type Story } from './story.ts'

/** Of the browser's headers, those that belong to its connection with this server, or to this server alone. */
const NOT_PASSED_ON = /^(host|connection|keep-alive|transfer-encoding|cookie|origin|referer|sec-.*)$/
const READS = /^\/(me|threads\/\d+(\/replies)?)(\?|$)/

export interface Call {
  readonly story: Story
  readonly phone: Phone
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

/** Passes a call on to the service as a gateway does, and shows the hop. A service that is away ends the connection. */
export async function passToService({ story, phone, incoming, outgoing }: Call, serviceUrl: string, path: string) {
  const { method = 'GET' } = incoming
  const body = await buffer(incoming)
  const { trip, isRead, traceparent } = story.beginTrip(phone, method === 'GET' && READS.test(path))
  const title = `${method} ${path.replace(/\?.*/, '')}`
  const hop = story.begin(
    { trip, phone, isRead, title, from: 'browser', to: 'service' },
    requestText(incoming, path, body.toString())
  )
  const startedMs = performance.now()
  const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => !NOT_PASSED_ON.test(name)))
  const forwarded = request(new URL(path, serviceUrl), { method, headers: { ...headers, traceparent } })
  const finish = (state: Hop['state']): void => {
    if (hop.state !== 'running') return
    Object.assign(hop, { state, tookMs: Math.round(performance.now() - startedMs) })
    story.tell(hop)
  }
  // Who leaves before the answer is told of the service, too.
  outgoing.once('close', () => {
    forwarded.destroy()
    finish('lost')
  })
  forwarded.once('error', () => {
    finish('lost')
    outgoing.destroy()
  })
  forwarded.once('response', answer => {
    void buffer(answer).then(
      bytes => {
        const status = answer.statusCode ?? 502
        hop.status = status
        hop.answer = asText(`HTTP/1.1 ${status}`, pairsOf(answer.rawHeaders), bytes.toString())
        finish('answered')
        outgoing.writeHead(status, passedBack(answer)).end(bytes)
      },
      () => outgoing.destroy()
    )
  })
  forwarded.end(body)
}

/** What a backend does that knows CometChat's documentation and nothing of this service: one call, and its status. */
export async function passStraight({ story, phone, incoming, outgoing }: Call, url: string, apiKey: string) {
  const body = await buffer(incoming)
  const { trip, traceparent } = story.beginTrip(phone, false, true)
  const hop = story.begin(
    { trip, phone, isRead: false, title: 'POST /reply', from: 'browser', to: 'backend' },
    requestText(incoming, '/reply', body.toString())
  )
  const startedMs = performance.now()
  const [status, text] = await post(
    `${url}/v3/messages/${THREAD}/thread`,
    body.toString(),
    {
      apikey: apiKey,
      onBehalfOf: phone,
      'content-type': 'application/json',
      traceparent
    },
    phone
  )
  const tookMs = Math.round(performance.now() - startedMs)
  Object.assign(hop, { state: 'answered', status, tookMs, answer: asText(`HTTP/1.1 ${status}`, [], text) })
  story.tell(hop)
  outgoing.writeHead(status, { 'content-type': 'application/json' }).end(text)
}

async function post(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  phone: Phone
): Promise<readonly [number, string]> {
  try {
    const whole = { receiver: otherThan(phone), receiverType: 'user', ...(JSON.parse(body) as object) }
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(whole) })
    // What CometChat says of itself, and of the key, is no business of a browser.
    return [answer.status, JSON.stringify({ isPosted: answer.ok })]
  } catch {
    return [502, JSON.stringify({ isPosted: false })]
  }
}

function passedBack({ rawHeaders }: IncomingMessage): string[] {
  return pairsOf(rawHeaders)
    .filter(([name]) => !/^(connection|keep-alive|transfer-encoding)$/i.test(name))
    .flat()
}
