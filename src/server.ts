import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { ConfigError } from './config/env-reader.ts'
import type { IntrospectionConfig } from './config/introspection.ts'
import { type Config, loadConfig } from './config/load-config.ts'
import { schemeOf } from './lib/store-address.ts'
import { StoreError } from './lib/store-error.ts'
import { refuse, StartError } from './process/start-error.ts'

const USAGE = `Usage: bin/thread-reply-bff [--check-config | --help]

Posts replies to CometChat threads as the signed-in user.
Everything is configured by environment variables: see the table in README.md, or .env.example.

  --check-config  read the configuration, say what is wrong with it, and start nothing
  --help          this text`
/** sysexits.h: EX_USAGE and EX_CONFIG. */
const EXIT_USAGE = 64
const EXIT_CONFIG = 78

await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.find(arg => arg !== '--check-config' && arg !== '--help')
  if (unknown !== undefined) return refuse(EXIT_USAGE, `Unknown option. ${USAGE}`)
  if (args.includes('--help')) return void process.stdout.write(`${USAGE}\n`)
  // A crash must not write the environment, which may hold the key, into a file.
  if (process.report) process.report.excludeEnv = true
  try {
    const config = readConfig()
    if (args.includes('--check-config')) return void process.stdout.write(describe(config))
    await run(config)
  } catch (error) {
    refuseFor(error)
  }
}

function readConfig(): Config {
  const flags = [process.env['NODE_OPTIONS'], ...process.execArgv].join(' ')
  return loadConfig({ ...process.env, NODE_OPTIONS: flags }, path => readFileSync(path, 'utf8'))
}

/** Each role loads only what it needs, once the configuration is known to be right. */
async function run(config: Config): Promise<void> {
  const { createLogger } = await import('./observability/logger.ts')
  const log = createLogger(config.logLevel)
  if (cluster.isWorker) await (await import('./process/cluster/worker.ts')).runWorker(config, log)
  else if (config.workers > 1) await (await import('./process/cluster/primary.ts')).runPrimary(config, log)
  else await (await import('./process/run.ts')).runSingle(config, log)
  // Node itself does it at the end, which a process that is killed does not have.
  flushCompileCache()
}

function refuseFor(error: unknown): void {
  if (error instanceof ConfigError) {
    refuse(EXIT_CONFIG, `The configuration is wrong:\n${error.problems.map(text => `  - ${text}`).join('\n')}`)
  } else if (error instanceof StoreError) refuse(1, error.message)
  else if (error instanceof StartError) refuse(error.exitCode, error.message)
  else throw error
}

function describe(config: Config): string {
  const { cometchat, auth, uid, delivery, warnings } = config
  return [
    'The configuration is valid.',
    `  listens on   ${config.public.host}:${config.public.port}, probes on ${config.admin.host}:${config.admin.port}`,
    `  workers      ${config.workers}`,
    `  CometChat    ${cometchat.origin}, key ${cometchat.apiKeys.join(' and ')}`,
    `  bearer JWT   ${auth.jwt ? describeBearer(auth.jwt, auth.introspection) : 'off'}`,
    `  app session  ${auth.session ? describeSession(auth.sessionCookie, auth.session) : 'off'}`,
    `  own login    ${auth.login ? `issuer ${auth.login.issuer}, at ${auth.login.origin}` : 'off'}`,
    `  opaque       ${auth.introspection ? describeIntrospection(auth.introspection) : 'refused'}`,
    `  CORS         ${[...config.corsOrigins].join(', ') || 'off'}`,
    `  UID          ${uid.mode} of claim ${uid.claim}${describeTable(uid)}; unknown users are ${uid.create ? 'created' : 'refused'}`,
    `  records      ${schemeOf(delivery.store)}, marker ${delivery.marker ? 'on' : 'off'}`,
    ...warnings.map(text => `  warning      ${text}`),
    ''
  ].join('\n')
}

function describeBearer(
  { issuer, audience, secret, jwksUrl }: NonNullable<Config['auth']['jwt']>,
  introspection: IntrospectionConfig
): string {
  const keys = secret ? `keys by shared secret ${secret}` : `keys by ${jwksUrl ?? 'discovery'}`
  return `issuer ${issuer}, audience ${audience}, ${introspection?.tokens === 'all' ? 'no keys' : keys}`
}

function describeIntrospection({ url, clientId, clientSecret, tokens }: NonNullable<IntrospectionConfig>): string {
  return `${tokens} tokens are asked about at ${url} as client ${clientId}, secret ${clientSecret}`
}

function describeTable({ table }: Config['uid']): string {
  if (!table) return ''
  return table.kind === 'file' ? `, ${table.table.size} users in ${table.path}` : `, asked at ${table.template}`
}

function describeSession(cookie: string, session: NonNullable<Config['auth']['session']>): string {
  const { secrets, prefix, userPath, issuer } = session
  return `cookie ${cookie}, signed with ${secrets.join(' or ')}, key ${prefix}…, user at ${userPath}, issuer ${issuer}`
}
