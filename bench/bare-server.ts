// A server that does nothing but answer: what a probe of it takes, the machine takes.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerParent } from './child.ts'

const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1')
await once(server, 'listening')
answerParent(String((server.address() as AddressInfo).port), {})
