import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below what systems give to connections that they open (RFC 6335 and Linux), above what is commonly configured. */
const FIRST = 15_000
const LAST = 32_000

/**
 * A port that nobody listens on at the moment, for whoever must know its address before it is there, or come back to
 * it. One that the system had chosen could go to any connection of another test meanwhile.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST)
    if (await isFree(port)) return port
  }
}

/** The same for a program that also takes the port so far above it. */
export async function freePorts(above: number): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST - above)
    if ((await isFree(port)) && (await isFree(port + above))) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
