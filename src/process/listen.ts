import type { FastifyInstance } from 'fastify'
import { StartError } from './start-error.ts'

/** Throws a StartError that names the variable to change. */
export async function listen(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
  variable: string
): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    const reason = code === 'EADDRINUSE' ? 'is taken' : `cannot be listened on (${code})`
    throw new StartError(`${host}:${port} ${reason}: change ${variable}.`)
  }
}

export function addressOf(app: FastifyInstance): string {
  const address = app.addresses()[0]
  if (!address || typeof address === 'string') return ''
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}
