// What every measurement shares: an outside and an issuer, and how the service and the peers are started for them. The
// measured program has the first processor for itself, the others share what is left.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { selfSigned } from '../test/helpers/certificate.ts'
import { freePort } from '../test/helpers/free-port.ts'
import type { CallersPlan, Seen, Stream } from './callers.ts'
import { type Child, program, startChild } from './child.ts'
import { AUDIENCE, type Issuer, startIssuer } from './identity.ts'
import type { LoadPlan } from './load.ts'
import type { Peer, PeerEnv } from './peers/peers.ts'
import type { Lane } from './rounds.ts'
import { type Subject, startProgram } from './subjects.ts'

export interface World {
  readonly stack: AsyncDisposableStack
  /** The callers, and the CometChat whose address it says. */
  readonly outside: Child
  /** Where its CometChat listens; over TLS, `trust` is what makes a program of Node believe it. */
  readonly cometchatUrl: string
  readonly trust?: { readonly NODE_EXTRA_CA_CERTS: string }
  readonly issuer: Issuer
  /** What 1,000 users send: about 200 bytes. */
  readonly plan: Omit<LoadPlan, 'port'>
  readonly directory: string
}

export interface ServiceOptions {
  readonly name: string
  readonly env?: Readonly<Record<string, string>>
  readonly plan?: Partial<LoadPlan>
  readonly cores?: string | undefined
  /** Of another checkout; this one's unless given. */
  readonly launcher?: string
}

const USERS = 1000
const API_KEY = 'bench-key-of-40-characters-0123456789abcd'
/** Long enough for every store; the records of a bench are nobody's. */
const STORE_SECRET = 'bench-secret-of-40-characters-0123456789'
/** What starts the service everywhere: its settings of Node are part of what is measured. */
export const LAUNCHER = fileURLToPath(new URL('../bin/thread-reply-bff', import.meta.url))

/** What docs/operations.md offers to small containers. */
export const SMALL_HEAP = { NODE_OPTIONS: '--max-semi-space-size=8', MALLOC_ARENA_MAX: '1' }

/** So many that none of them meets a limit, and so few that their tokens are remembered. */
export const LIMITED_USERS = 4000

/** What an operator can switch on that every reply pays for, beside traces; limits that none of those users meets. */
export function everythingOn(directory: string, name: string): Record<string, string> {
  return {
    LIMIT_MODE: 'enforce',
    LIMIT_USER_PER_MINUTE: '120',
    LIMIT_APP_PER_MINUTE: '10000000',
    AUDIT_FILE: join(directory, `${name.replaceAll(' ', '-')}.audit`),
    AUDIT_SECRET: STORE_SECRET
  }
}

export const CORES = availableParallelism()
/** With fewer, two workers and the load have to share them. */
const ENOUGH_FOR_TWO = 4
export const MEASURED = CORES > 1 ? '0' : undefined
export const MEASURED_TWO = CORES > 1 ? '0,1' : undefined
const OTHER_CORES = CORES > 1 ? `${CORES >= ENOUGH_FOR_TWO ? 2 : 1}-${CORES - 1}` : undefined
/** For programs of the bench beside what is measured. */
export const OTHERS: { readonly cores?: string } = OTHER_CORES === undefined ? {} : { cores: OTHER_CORES }
export const ARE_TWO_FREE = CORES >= ENOUGH_FOR_TWO

export async function startWorld(stack: AsyncDisposableStack): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'))
  stack.defer(() => rmSync(directory, { recursive: true, force: true }))
  const outside = await startChild(stack, {
    name: 'The outside',
    command: program('outside.ts'),
    env: { API_KEY },
    ...OTHERS
  })
  const issuer = await startIssuer(stack, directory)
  const plan = {
    connections: 64,
    users: issuer.users(USERS),
    path: '/threads/100/replies',
    body: bodyOf(200),
    keyed: false,
    expects: 'sender' as const,
    isAwake: true
  }
  return { stack, outside, cometchatUrl: outside.hello, issuer, plan, directory }
}

/** The same world, whose CometChat is reached over TLS. */
export async function withTls(world: World): Promise<World> {
  const { cert, key } = selfSigned('localhost')
  const file = join(world.directory, 'cometchat.pem')
  writeFileSync(file, cert)
  const port = await world.outside.ask<number>('listenTls', { cert, key })
  return { ...world, cometchatUrl: `https://localhost:${port}`, trust: { NODE_EXTRA_CA_CERTS: file } }
}

/** A reply with its receiver, so that its parent is never read, of about so many bytes. */
export function bodyOf(bytes: number): string {
  const empty = JSON.stringify({ receiver: 'bob', receiverType: 'user', data: { text: '' } })
  const text = 'Yes, on Friday at ten. '.repeat(Math.ceil(bytes / 20)).slice(0, Math.max(1, bytes - empty.length))
  return JSON.stringify({ receiver: 'bob', receiverType: 'user', data: { text } })
}

/** The service as `npm start` starts it; more flags of Node come in NODE_OPTIONS. */
export async function startService(world: World, options: ServiceOptions): Promise<Lane> {
  const { name, env = {}, plan = {}, cores = MEASURED, launcher = LAUNCHER } = options
  const port = await freePort()
  const subject = await startProgram(world.stack, {
    name,
    command: [launcher],
    env: { ...systemEnv(world), ...serviceEnv(world), ...world.trust, PORT: String(port), ...env },
    port,
    ...(cores !== undefined && { cores })
  })
  return { name, subject, plan: { ...world.plan, ...plan } }
}

/** A host's app with the plugin below a prefix, on Node's own settings. */
export async function startHost(world: World, prefix: string): Promise<Lane> {
  const port = await freePort()
  const subject = await startProgram(world.stack, {
    name: 'host',
    command: program('host.ts'),
    env: { ...systemEnv(world), ...serviceEnv(world), ...world.trust, PORT: String(port) },
    port,
    ...(MEASURED !== undefined && { cores: MEASURED })
  })
  return { name: 'host', subject, plan: { ...world.plan, path: prefix + world.plan.path } }
}

export interface Callers {
  /** So many of all users a second; with streams, those of each. */
  offer(window: string, forMs: number, streams: { readonly perSecond: number } | readonly Stream[]): Promise<void>
  seen(): Promise<Seen>
}

/** Callers of the world's users, and probes. */
export async function startCallers(
  { stack, plan: { users, path, body } }: World,
  options: Pick<CallersPlan, 'port' | 'probes' | 'isKeyed'>
): Promise<Callers> {
  if ('count' in users) throw new Error('it takes users with a token each')
  const child = await startChild(stack, { name: 'The callers', command: program('callers.ts'), ...OTHERS })
  await child.ask('open', { ...options, users, path, body })
  return {
    offer: (name, forMs, offered) =>
      child.ask('offer', {
        name,
        forMs,
        streams: 'perSecond' in offered ? [{ name: 'all', from: 0, to: users.length, ...offered }] : offered
      }),
    seen: () => child.ask<Seen>('seen')
  }
}

/** The port of a server that only answers, on the processor of what is measured. */
export async function startBareServer({ stack }: World): Promise<number> {
  const cores = MEASURED === undefined ? {} : { cores: MEASURED }
  const { hello } = await startChild(stack, { name: 'A bare server', command: program('bare-server.ts'), ...cores })
  return Number(hello)
}

export async function startPeer(world: World, peer: Peer): Promise<Lane> {
  const port = await freePort()
  const directory = join(world.directory, peer.name)
  mkdirSync(directory)
  const env = peerEnv(world, port)
  const { file, args } = peer.command(env, directory)
  const subject = await startProgram(world.stack, {
    name: peer.name,
    command: [file, ...args],
    env: { ...systemEnv(world), ...world.trust, ...env },
    port,
    ...(MEASURED !== undefined && { cores: MEASURED })
  })
  return { name: peer.name, subject, plan: { ...world.plan, expects: peer.verifiesTokens ? 'sender' : 'any' } }
}

export function peerEnv({ cometchatUrl, issuer }: World, port: number): PeerEnv {
  return {
    PORT: String(port),
    UPSTREAM_URL: cometchatUrl,
    API_KEY,
    JWT_PUBLIC_KEY_FILE: issuer.publicKeyFile,
    JWT_ISSUER: issuer.url,
    JWT_AUDIENCE: AUDIENCE,
    NODE_ENV: 'production'
  }
}

/** The upstream itself, called as the service calls it. */
export function directLane({ outside, plan }: World): Lane {
  const subject: Subject = { name: 'direct', port: Number(new URL(outside.hello).port), pid: outside.pid }
  const headerLines = `apikey: ${API_KEY}\r\nonBehalfOf: bench\r\n`
  return { name: 'direct', subject, plan: { ...plan, path: '/v3/messages/100/thread', headerLines, expects: 'any' } }
}

export function serviceEnv({ cometchatUrl, issuer }: Pick<World, 'cometchatUrl' | 'issuer'>): Record<string, string> {
  return {
    // The launcher looks for a Node there.
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
    ADMIN_PORT: '0',
    COMETCHAT_API_KEY: API_KEY,
    COMETCHAT_BASE_URL: cometchatUrl,
    AUTH_JWT_ISSUER: issuer.url,
    AUTH_JWT_AUDIENCE: AUDIENCE,
    AUTH_JWT_JWKS_URL: issuer.jwksUrl,
    // What a section does not choose itself.
    STORE_URL: 'memory:',
    STORE_SECRET,
    // The load is that of few users.
    LIMIT_MODE: 'off'
  }
}

function systemEnv({ directory }: World): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: directory, TMPDIR: directory }
}

/** The variable with which the service also runs a program of the bench, before its own first line. */
export function preload(file: string): { NODE_OPTIONS: string } {
  return { NODE_OPTIONS: `--import=${new URL(file, import.meta.url)}` }
}
