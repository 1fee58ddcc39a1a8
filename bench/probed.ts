// Programs that are looked into while they work: with a probe in their process.
import { join } from 'node:path'
import { freePort } from '../test/helpers/free-port.ts'
import { type Child, startChild } from './child.ts'
import type { LoadPlan, LoadResult } from './load.ts'
import { peerNamed } from './peers/peers.ts'
import type { Settings } from './rounds.ts'
import { untilItAnswers } from './subjects.ts'
import type { Frame } from './work-probe.ts'
import { everythingOn, LAUNCHER, LIMITED_USERS, MEASURED, peerEnv, preload, serviceEnv, type World } from './world.ts'

const WARM_UP_REPLIES_A_MS = 4

export interface Program {
  readonly name: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly plan: Omit<LoadPlan, 'port'>
}

export interface Probed {
  readonly child: Child
  readonly port: number
  readonly plan: Omit<LoadPlan, 'port'>
  /** Sends replies until the program is warm: V8 has compiled what it needs, and every token is remembered. */
  warmUp(): Promise<void>
  /** Sends as many replies as there is time for, and says how many that were. */
  load(durationMs: number): Promise<number>
}

/** The pass-through and the service without what can be switched on. */
export function probedPair(world: World): { readonly bare: Program; readonly service: Program } {
  const bare = peerNamed('bare')
  const env = peerEnv(world, 0)
  const { file, args } = bare.command(env, world.directory)
  return {
    bare: { name: bare.title, command: [file, ...args], env: { ...env }, plan: { ...world.plan, expects: 'any' } },
    service: service(world, 'this service', {})
  }
}

/** The service with more of what a reply may pay for. */
export function probedVariants(world: World): Program[] {
  const users = world.issuer.manyUsers(LIMITED_USERS)
  const file = { STORE_URL: `file:${join(world.directory, 'probed.db')}` }
  return [
    service(world, 'with limits and audit', everythingOn(world.directory, 'probed'), { users }),
    service(world, 'keyed, file', file, { keyed: true })
  ]
}

function service(
  world: World,
  name: string,
  own: Readonly<Record<string, string>>,
  plan: Partial<LoadPlan> = {}
): Program {
  return { name, command: [LAUNCHER], env: { ...serviceEnv(world), ...own }, plan: { ...world.plan, ...plan } }
}

/** Starts it for as long as the stack lives. */
export async function startProbed(
  stack: AsyncDisposableStack,
  { outside }: World,
  { name, command, env, plan }: Program,
  { windowMs, warmUpMs, stopping }: Settings
): Promise<Probed> {
  const port = await freePort()
  const child = await startChild(stack, {
    name,
    command,
    env: { ...env, ...preload('work-probe.ts'), PORT: String(port) },
    ...(MEASURED !== undefined && { cores: MEASURED })
  })
  await untilItAnswers(name, port)
  async function load(durationMs: number): Promise<number> {
    stopping.throwIfAborted()
    await outside.ask('open', { ...plan, port })
    const { requests } = await outside.ask<LoadResult>('run', { durationMs })
    await outside.ask('close')
    return requests
  }
  return {
    child,
    port,
    plan,
    load,
    async warmUp() {
      // By number and not by time, which on a busy machine would be too short.
      for (let left = warmUpMs * WARM_UP_REPLIES_A_MS; left > 0; left -= await load(windowMs));
    }
  }
}

/** Whose a function is: a package, a folder of the service, Node, or a part of V8. */
export function partOf({ name, url }: Frame): string {
  const packageName = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (packageName !== undefined) return packageName
  const folder = /\/src\/([^/]+)/.exec(url)?.[1]
  if (folder !== undefined) return `src/${folder}`
  if (url.includes('/bench/')) return 'its own code'
  return url.startsWith('node:') ? 'Node’s own JavaScript' : name || 'other'
}

/** What each part has of one reply, the largest first. */
export function byPart<F extends Frame>(
  frames: readonly F[],
  of: (frame: F) => number
): Readonly<Record<string, number>> {
  const sums = new Map<string, number>()
  for (const frame of frames) sums.set(partOf(frame), (sums.get(partOf(frame)) ?? 0) + of(frame))
  return Object.fromEntries([...sums].sort(([, one], [, other]) => other - one))
}

/** The parts that are largest in any of them. */
export function largestOf(sums: readonly Readonly<Record<string, number>>[], count: number): string[] {
  const most = new Map<string, number>()
  for (const [part, sum] of sums.flatMap(Object.entries<number>)) most.set(part, Math.max(sum, most.get(part) ?? 0))
  return [...most]
    .sort(([, one], [, other]) => other - one)
    .slice(0, count)
    .map(([part]) => part)
}
