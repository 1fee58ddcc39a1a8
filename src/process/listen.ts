import type { FastifyInstance } from 'fastify'
import { StartError } from './start-error.ts'

/** What is wrong with the address, and not with the port. */
const OF_HOST: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'is no address of this machine',
  ENOTFOUND: 'is not known by that name',
  EAI_AGAIN: 'cannot be looked up at the moment'
}

/** Throws a StartError that names the variable to change. */
export async function listen(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
  variable: 'PORT' | 'ADMIN_PORT'
): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    const ofHost = OF_HOST[code]
    if (ofHost !== undefined) {
      throw new StartError(`${host} ${ofHost} (${code}): change ${variable === 'PORT' ? 'HOST' : 'ADMIN_HOST'}.`)
    }
    const reason = code === 'EADDRINUSE' ? 'is taken' : `cannot be listened on (${code})`
    throw new StartError(`${host}:${port} ${reason}: change ${variable}.`)
  }
}

export function addressOf(app: FastifyInstance): string {
  const address = app.addresses()[0]
  if (!address || typeof address === 'string') return ''
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}
