// A CometChat in a thread of its own: it tells its port, then of each request, which it answers a moment later.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parentPort } from 'node:worker_threads'

const ANSWERS_AFTER_MS = 50
const server = createServer((_request, response) => {
  parentPort?.postMessage('asked')
  setTimeout(() => response.end('{}'), ANSWERS_AFTER_MS)
}).listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port))
