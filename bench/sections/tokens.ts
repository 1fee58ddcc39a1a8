// What it costs to know again whose token it is. A whole reply would hide it: here nothing else runs.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Authenticator } from '../../src/auth/authenticator.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createJsonFetcher } from '../../src/outbound/fetch-json.ts'
import { createBearer } from '../../src/parts/bearer.ts'
import { AUDIENCE, userWithSecret } from '../identity.ts'
import { number, type Section, spread } from '../report.ts'
import { medianOf } from '../rounds.ts'
import { serviceEnv, type World } from '../world.ts'

export interface TokensOptions {
  readonly rounds: number
  readonly windowMs: number
  readonly stopping: AbortSignal
  readonly onProgress: (text: string) => void
}

interface Variant {
  readonly name: string
  readonly authenticate: Authenticator
  readonly tokens: readonly string[]
  readonly microseconds: number[]
}

const USERS = 1000
const ISSUERS = 20
const SECRET = 'bench-secret-of-tokens-of-48-characters-01234567'
const SENDER = { ip: '127.0.0.1' }

export async function measureTokens(world: World, options: TokensOptions): Promise<Section> {
  await using stack = new AsyncDisposableStack()
  const many = Array.from({ length: ISSUERS }, (_, index) => `https://issuer-${index}.example.com`)
  const variants = [
    await variantOf(world, stack, 'one issuer, in variables', many.slice(0, 1)),
    await variantOf(world, stack, 'one issuer, in a file', many.slice(0, 1), 'one'),
    await variantOf(world, stack, `${ISSUERS} issuers`, many, 'many')
  ]
  for (let round = 0; round <= options.rounds; round++) {
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      options.stopping.throwIfAborted()
      options.onProgress(`${round === 0 ? 'warming up' : `round ${round} of ${options.rounds}`}: ${variant.name}`)
      const microseconds = microsecondsPerCall(variant, options.windowMs)
      if (round > 0) variant.microseconds.push(microseconds)
    }
  }
  return {
    name: 'tokens',
    title: 'A token that is known',
    note: `To know again whose token it is, of ${USERS} users in turn: what every reply pays, but the first of a token.`,
    head: ['', 'µs', 'spread'],
    rows: variants.map(({ name, microseconds }) => [name, number(medianOf(microseconds)), spread(microseconds)]),
    figures: variants.map(({ name, microseconds }) => ({ name, microseconds }))
  }
}

/** An authenticator that has seen each token once. */
async function variantOf(
  world: World,
  stack: AsyncDisposableStack,
  name: string,
  issuers: readonly string[],
  file?: string
): Promise<Variant> {
  const { AUTH_JWT_ISSUER: _, AUTH_JWT_AUDIENCE: __, AUTH_JWT_JWKS_URL: ___, ...env } = serviceEnv(world)
  const config = loadConfig(
    { ...env, ...(file === undefined ? variables(issuers) : issuersFile(world.directory, file, issuers)) },
    path => readFileSync(path, 'utf8')
  )
  const fetchJson = createJsonFetcher()
  const bearer = createBearer(config, { fetchJson, clock: systemClock, emit: () => undefined })
  stack.defer(() => fetchJson.close())
  stack.defer(() => bearer.close())
  const { authenticate } = bearer
  if (!authenticate) throw new Error('There is no bearer authentication.')
  const tokens = Array.from(
    { length: USERS },
    (_, index) => userWithSecret(index, { issuer: issuers[index % issuers.length] ?? '', secret: SECRET }).token
  )
  for (const token of tokens) await authenticate(token, SENDER)
  return { name, authenticate, tokens, microseconds: [] }
}

function variables([issuer = '']: readonly string[]): Record<string, string> {
  return { AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: AUDIENCE, AUTH_JWT_SECRET: SECRET }
}

function issuersFile(directory: string, name: string, issuers: readonly string[]): Record<string, string> {
  const [file, secretFile] = [join(directory, `issuers-${name}.json`), join(directory, `secret-${name}`)]
  writeFileSync(secretFile, SECRET)
  writeFileSync(file, JSON.stringify(issuers.map(issuer => ({ issuer, audience: [AUDIENCE], secretFile }))))
  return { AUTH_ISSUERS_FILE: file, UID_MODE: 'hash' }
}

const BATCH = 1000

/** Throws for a token that has to be verified again: that is not what is measured. */
function microsecondsPerCall({ authenticate, tokens }: Variant, windowMs: number): number {
  const startedMs = performance.now()
  let calls = 0
  let elapsedMs = 0
  while (elapsedMs < windowMs) {
    for (let index = 0; index < BATCH; index++, calls++) {
      const known = authenticate(tokens[calls % USERS] ?? '', SENDER)
      if (known instanceof Promise) throw new Error('A token was forgotten.')
    }
    elapsedMs = performance.now() - startedMs
  }
  return (elapsedMs * 1000) / calls
}
