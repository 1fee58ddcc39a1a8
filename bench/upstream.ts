// The least that the service takes for CometChat: fast, so that the bench is busy with the service and not with it.
import { createServer, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { answerParent } from './child.ts'

const THREAD = /^\/v3\/messages\/([1-9][0-9]*)\/thread$/

let posts = 0

/** The reply as CometChat describes it: with its sender, its thread and the metadata that it was sent with. */
async function answerTo(request: IncomingMessage): Promise<readonly [status: number, answer: object]> {
  const { apikey, onbehalfof: sender } = request.headers
  const parentId = THREAD.exec(request.url ?? '')?.[1]
  if (request.method !== 'POST' || parentId === undefined) return refusal(404, 'ERR_API_NOT_FOUND')
  if (apikey !== process.env['COMETCHAT_API_KEY']) return refusal(401, 'AUTH_ERR_APIKEY_NOT_FOUND')
  if (typeof sender !== 'string' || sender === '') return refusal(400, 'ERR_BAD_REQUEST')
  const message = (await json(request)) as object
  posts++
  const sentAt = Math.floor(Date.now() / 1000)
  return [200, { data: { ...message, id: String(1000 + posts), parentId, sender, sentAt, updatedAt: sentAt } }]
}

function refusal(status: number, code: string): readonly [status: number, answer: object] {
  return [status, { error: { code, message: 'The bench does not do this.' } }]
}

const server = createServer(async (request, response) => {
  const [status, answer] = await answerTo(request)
  const text = JSON.stringify(answer)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
})
// Longer than any pause between two rounds, so that no round pays for new connections.
server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1', () => answerParent(server.address(), () => posts))
