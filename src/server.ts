import { readFileSync } from 'node:fs'
import closeWithGrace from 'close-with-grace'
import type { Logger } from 'pino'
import { createService, type Service } from './app.ts'
import { ConfigError } from './config/env-reader.ts'
import type { IntrospectionConfig } from './config/introspection.ts'
import { type Config, loadConfig, parseApiKeys } from './config.ts'
import { createLogger } from './observability/logger.ts'
import { StoreError } from './store-error.ts'
import { watchFileText } from './watched-file.ts'

const USAGE = `Usage: node src/server.ts [--check-config | --help]

Posts replies to CometChat threads as the signed-in user.
Everything is configured by environment variables: see the table in README.md, or .env.example.

  --check-config  read the configuration, say what is wrong with it, and start nothing
  --help          this text
`
/** sysexits.h: EX_USAGE and EX_CONFIG. */
const EXIT_USAGE = 64
const EXIT_CONFIG = 78

await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.find(arg => arg !== '--check-config' && arg !== '--help')
  if (unknown !== undefined) return stop(EXIT_USAGE, `Unknown option. ${USAGE}`)
  if (args.includes('--help')) return void process.stdout.write(USAGE)
  const config = readConfig()
  if (!config) return
  if (args.includes('--check-config')) return void process.stdout.write(describe(config))
  // A crash must not write the environment, which may hold the key, into a file.
  if (process.report) process.report.excludeEnv = true
  await run(config, createLogger(config.logLevel))
}

function readConfig(): Config | undefined {
  const flags = [process.env['NODE_OPTIONS'], ...process.execArgv].join(' ')
  try {
    return loadConfig({ ...process.env, NODE_OPTIONS: flags }, path => readFileSync(path, 'utf8'))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    stop(EXIT_CONFIG, `The configuration is wrong:\n${error.problems.map(text => `  - ${text}`).join('\n')}\n`)
    return undefined
  }
}

async function run(config: Config, log: Logger): Promise<void> {
  for (const warning of config.warnings) log.warn(warning)
  const service = await makeService(config, log)
  if (!service) return
  const { apiKeyFile } = config.cometchat
  if (apiKeyFile !== undefined) {
    watchFileText(apiKeyFile, text => {
      const keys = parseApiKeys(text)
      if (keys) service.keyring.replace(keys)
      log.info({ accepted: keys !== undefined, keys: service.keyring.fingerprints() }, 'COMETCHAT_API_KEY_FILE changed')
    })
  }
  await Promise.all([listen(service.admin, config.admin, 'ADMIN_PORT'), listen(service.app, config.public, 'PORT')])
  if (process.exitCode !== undefined) return void (await Promise.all([service.app.close(), service.admin.close()]))
  stopOnSignals(service, config, log)
  log.info(
    {
      url: addressOf(service.app),
      adminUrl: addressOf(service.admin),
      cometchat: config.cometchat.origin,
      keys: service.keyring.fingerprints(),
      store: config.delivery.storeUrl.split(':')[0]
    },
    'listening'
  )
}

async function makeService(config: Config, log: Logger): Promise<Service | undefined> {
  try {
    return await createService(config, { log })
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    stop(1, `${error.message}\n`)
    return undefined
  }
}

async function listen(app: Service['app'], { host, port }: Config['public'], variable: string): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    const reason = code === 'EADDRINUSE' ? 'is taken' : `cannot be listened on (${code})`
    stop(1, `${host}:${port} ${reason}: change ${variable}.\n`)
  }
}

function addressOf(app: Service['app']): string {
  const address = app.addresses()[0]
  if (!address || typeof address === 'string') return ''
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}

/** SIGTERM and SIGINT: say so, wait for balancers to notice, finish what is under way; a second signal ends at once. */
function stopOnSignals({ app, admin, drain }: Service, config: Config, log: Logger): void {
  const { drainDelayMs, delivery } = config
  const longestMs = drainDelayMs + delivery.deadlineMs + 5000
  closeWithGrace({ delay: longestMs, logger: false }, async ({ signal, err }) => {
    if (err) log.fatal({ errorName: err.name, frames: framesOf(err) }, 'bug: the process ends')
    drain.begin()
    log.info({ signal: signal ?? 'none', delayMs: err ? 0 : drainDelayMs }, 'draining')
    // Nobody balances a terminal: Ctrl-C does not wait.
    if (signal === 'SIGTERM') await new Promise(resolve => setTimeout(resolve, drainDelayMs))
    const graceMs = drain.close()
    const idle = setInterval(() => app.server.closeIdleConnections(), 100)
    const forced = setTimeout(() => app.server.closeAllConnections(), graceMs)
    await app.close()
    clearInterval(idle)
    clearTimeout(forced)
    await admin.close()
    log.info('stopped')
  })
}

function describe(config: Config): string {
  const { cometchat, auth, uid, delivery, warnings } = config
  return [
    'The configuration is valid.',
    `  listens on   ${config.public.host}:${config.public.port}, probes on ${config.admin.host}:${config.admin.port}`,
    `  CometChat    ${cometchat.origin}, key ${cometchat.apiKeys.join(' and ')}`,
    `  bearer JWT   ${auth.jwt ? describeBearer(auth.jwt, auth.introspection) : 'off'}`,
    `  app session  ${auth.session ? describeSession(auth.sessionCookie, auth.session) : 'off'}`,
    `  own login    ${auth.login ? `issuer ${auth.login.issuer}, at ${auth.login.origin}` : 'off'}`,
    `  opaque       ${auth.introspection ? describeIntrospection(auth.introspection) : 'refused'}`,
    `  CORS         ${[...config.corsOrigins].join(', ') || 'off'}`,
    `  UID          ${uid.mode} of claim ${uid.claim}${describeTable(uid)}; unknown users are ${uid.create ? 'created' : 'refused'}`,
    `  records      ${delivery.storeUrl.split(':')[0]}, marker ${delivery.marker ? 'on' : 'off'}`,
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

function framesOf(error: Error): string[] {
  return (error.stack ?? '')
    .split('\n')
    .filter(line => /^\s+at /.test(line))
    .slice(0, 12)
}

function stop(exitCode: number, message: string): void {
  process.stderr.write(message)
  process.exitCode = exitCode
}
