import { readFileSync } from 'node:fs'
import closeWithGrace from 'close-with-grace'
import type { Logger } from 'pino'
import { createService, type Service } from './app.ts'
import { type Config, loadConfig, parseApiKeys } from './config.ts'
import { ConfigError } from './env-reader.ts'
import { createLogger } from './observability/logger.ts'
import { watchKeyFile } from './upstream/key-file.ts'

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
  if (config.delivery.storeUrl === 'memory:') {
    log.warn('STORE_URL is memory: delivery records do not survive this process; use file:PATH or redis://')
  }
  const service = await createService(config, { log })
  const { apiKeyFile } = config.cometchat
  if (apiKeyFile !== undefined) {
    watchKeyFile(apiKeyFile, text => {
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
  const keys = auth.jwt.secret ? `shared secret ${auth.jwt.secret}` : (auth.jwt.jwksUrl ?? 'discovery')
  return [
    'The configuration is valid.',
    `  listens on   ${config.public.host}:${config.public.port}, probes on ${config.admin.host}:${config.admin.port}`,
    `  CometChat    ${cometchat.origin}, key ${cometchat.apiKeys.join(' and ')}`,
    `  bearer JWT   issuer ${auth.jwt.issuer}, audience ${auth.jwt.audience}, keys by ${keys}`,
    `  UID          ${uid.mode} of claim ${uid.claim}`,
    `  records      ${delivery.storeUrl.split(':')[0]}, marker ${delivery.marker ? 'on' : 'off'}`,
    ...warnings.map(text => `  warning      ${text}`),
    ''
  ].join('\n')
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
