// What the service is compared with: programs that do as much of its job as their stack offers, set up as their own
// documentation sets them up for production.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram, withoutPackages, withoutProgram } from './installed.ts'

/** All that a peer finds in its environment, besides PATH, HOME and TMPDIR. */
export interface PeerEnv {
  readonly PORT: string
  /** Scheme, address and port; no path. */
  readonly UPSTREAM_URL: string
  readonly API_KEY: string
  /** SPKI, PEM, RSA. */
  readonly JWT_PUBLIC_KEY_FILE: string
  readonly JWT_ISSUER: string
  readonly JWT_AUDIENCE: string
  /** As the documentation of Express and NestJS asks of production. */
  readonly NODE_ENV: 'production'
}

export interface Command {
  readonly file: string
  readonly args: readonly string[]
}

export interface Peer {
  readonly name: string
  readonly title: string
  /** How much of the job it does, for the table. */
  readonly does: string
  /** Whether it posts as the user of the token; as "bench" otherwise. */
  readonly verifiesTokens: boolean
  /** Why it cannot run here. */
  missing(): string | undefined
  /** Starts it in the foreground; what it keeps on disk goes to the directory. */
  command(env: PeerEnv, directory: string): Command
}

/** The first that verifies tokens; Ubuntu 22.04 has one before it. */
const HAPROXY_WITH_TOKENS = 2.5

export const PEERS: readonly Peer[] = [
  {
    name: 'haproxy-plain',
    title: 'HAProxy, plain proxy',
    does: 'key, path; one user for all',
    verifiesTokens: false,
    ...haproxy('haproxy-plain.cfg')
  },
  {
    name: 'nginx-plain',
    title: 'nginx, plain proxy',
    does: 'key, path; one user for all',
    verifiesTokens: false,
    missing: () => withoutProgram('nginx'),
    command(env, directory) {
      const file = fillIn('nginx-plain.conf', env, directory)
      return { file: findProgram('nginx'), args: ['-e', 'stderr', '-p', directory, '-c', file] }
    }
  },
  {
    name: 'bare',
    title: 'Fastify + undici, pass-through',
    does: 'key, path; one user for all',
    verifiesTokens: false,
    missing: () => undefined,
    command: () => onNode('bare.ts')
  },
  {
    name: 'haproxy',
    title: 'HAProxy, RS256',
    does: 'key, path, token, user',
    verifiesTokens: true,
    ...haproxy('haproxy.cfg')
  },
  {
    name: 'fastify-http-proxy',
    title: 'Fastify + @fastify/http-proxy + @fastify/jwt',
    does: 'key, path, token, user',
    verifiesTokens: true,
    ...npmPeer('fastify-http-proxy.js')
  },
  {
    name: 'express',
    title: 'Express + http-proxy-middleware + jose',
    does: 'key, path, token, user',
    verifiesTokens: true,
    ...npmPeer('express.js')
  },
  {
    name: 'nestjs',
    title: 'NestJS + axios + passport-jwt',
    does: 'key, path, token, user, body',
    verifiesTokens: true,
    ...npmPeer('nestjs.js')
  }
]

export function peerNamed(wanted: string): Peer {
  const peer = PEERS.find(({ name }) => name === wanted)
  if (!peer) throw new Error(`${wanted} is not among the peers.`)
  return peer
}

type Launch = Pick<Peer, 'missing' | 'command'>

function npmPeer(file: string): Launch {
  return { missing: withoutPackages, command: () => onNode(`npm/${file}`) }
}

function haproxy(template: string): Launch {
  return {
    missing: () => withoutProgram('haproxy', HAPROXY_WITH_TOKENS),
    command(env, directory) {
      // In the foreground, as one process without a master.
      return { file: findProgram('haproxy'), args: ['-db', '-f', fillIn(template, env, directory)] }
    }
  }
}

function onNode(file: string): Command {
  return { file: process.execPath, args: [here(file)] }
}

/** Writes a configuration into the directory: the template with the values of the environment. */
function fillIn(template: string, env: PeerEnv, directory: string): string {
  const values: Record<string, string> = { ...env, UPSTREAM: new URL(env.UPSTREAM_URL).host, DIRECTORY: directory }
  const text = readFileSync(here(template), 'utf8').replace(/\$\{([A-Z_]+)\}/g, (_, name: string) => {
    const value = values[name]
    // Neither program gets a chance to read a value as anything but a value.
    if (value === undefined || !/^[\w./:@-]+$/.test(value)) throw new Error(`${template} cannot be given this ${name}.`)
    return value
  })
  const file = join(directory, template)
  writeFileSync(file, text)
  return file
}

function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
