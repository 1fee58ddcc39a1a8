// The base line: what a sensible person writes to pass a reply on as fast as Fastify and undici can, and nothing else.
// No token is read and no body is parsed; both are the versions that the service itself runs on.
import { type FastifyRequest, fastify } from 'fastify'
import { Pool } from 'undici'

const { PORT, UPSTREAM_URL = '', API_KEY = '', ON_BEHALF_OF = 'bench' } = process.env
const HEADERS = { 'content-type': 'application/json', apikey: API_KEY, onbehalfof: ON_BEHALF_OF }
const CONNECTIONS = 128

const upstream = new Pool(UPSTREAM_URL, { connections: CONNECTIONS })
const app = fastify()

app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

type Reply = FastifyRequest<{ Params: { parentId: string }; Body: Buffer }>

app.post('/threads/:parentId/replies', async (request: Reply, reply) => {
  const { statusCode, headers, body } = await upstream.request({
    method: 'POST',
    path: `/v3/messages/${request.params.parentId}/thread`,
    headers: HEADERS,
    body: request.body
  })
  reply.code(statusCode).header('content-type', headers['content-type'])
  return reply.send(Buffer.from(await body.arrayBuffer()))
})

app.get('/v3/*', async (request, reply) => {
  const { statusCode, headers, body } = await upstream.request({ method: 'GET', path: request.url, headers: HEADERS })
  reply.code(statusCode).header('content-type', headers['content-type'])
  return reply.send(Buffer.from(await body.arrayBuffer()))
})

await app.listen({ host: '127.0.0.1', port: Number(PORT) })
