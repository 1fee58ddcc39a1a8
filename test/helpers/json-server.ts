// An HTTP server on loopback that answers what a test tells it to, and remembers what it was asked.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface Asked {
  readonly method: string
  /** The raw request target. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

type Answer = (asked: Asked, response: ServerResponse) => void

export interface JsonServer {
  readonly url: string
  readonly asked: readonly Asked[]
  /** From now on every request is answered so. */
  answer(how: Answer): void
  /** Answers with JSON and a status. */
  answerWith(value: unknown, status?: number): void
  stop(): Promise<void>
}

export async function startJsonServer(t: Test, value: unknown = {}): Promise<JsonServer> {
  const asked: Asked[] = []
  const json =
    (value: unknown, status = 200): Answer =>
    (_asked, response) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  let how = json(value)
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url: path = '', headers } = request
    const one = { method, path, headers, body: Buffer.concat(chunks).toString() }
    asked.push(one)
    how(one, response)
  })
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    if (server.listening) await new Promise(resolve => server.close(resolve))
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(stop)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: next => {
      how = next
    },
    answerWith: (next, status) => {
      how = json(next, status)
    },
    stop
  }
}
