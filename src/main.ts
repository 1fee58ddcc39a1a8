import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { describeConfig } from './config/describe.ts'
import { ConfigError, type Environment } from './config/env-reader.ts'
import { type Config, loadConfig } from './config/load-config.ts'
import { CLOSING_MS } from './lib/service/drain-times.ts'
import { StoreError } from './lib/service/store-error.ts'
import { refuse, StartError } from './process/start-error.ts'

const USAGE = `Usage: bin/thread-reply-bff [--check-config | --explain-token | --help]
       bin/thread-reply-bff --audit-verify FILE... [--anchors LOG]

Posts replies to CometChat threads as the signed-in user.
Everything is configured by environment variables: see the table in README.md, or .env.example.

  --check-config   read the configuration, say what is wrong with it, and start nothing
  --explain-token  read a token from standard input, say whether it would be accepted, and why
  --audit-verify   say whether audit files are whole: 0 whole, 1 broken, 2 unfinished. AUDIT_SECRET has sealed them;
                   LOG is the log of the service, which shows whether the end was cut off
  --help           this text`
const OPTIONS = ['--check-config', '--explain-token', '--help']
const VERIFY = '--audit-verify'
/** sysexits.h: EX_USAGE and EX_CONFIG. */
const EXIT_USAGE = 64
const EXIT_CONFIG = 78

/** The program. `releaseSignals` is called once it stops in order when a signal comes. */
export async function main(args: readonly string[], env: Environment, releaseSignals: () => void): Promise<void> {
  if (args[0] === VERIFY) return await verify(args.slice(1), env)
  const unknown = args.find(arg => !OPTIONS.includes(arg))
  if (unknown !== undefined) return refuse(EXIT_USAGE, `Unknown option. ${USAGE}`)
  if (args.includes('--help')) return void process.stdout.write(`${USAGE}\n`)
  // A crash must not write the environment, which may hold the key, into a file.
  if (process.report) process.report.excludeEnv = true
  try {
    const config = readConfig(env)
    if (args.includes('--check-config')) return void process.stdout.write(describeConfig(config))
    if (args.includes('--explain-token')) return await explain(config)
    await run(config, releaseSignals)
  } catch (error) {
    if (args.length === 0) await logRefusal(error)
    refuseFor(error)
  }
}

function readConfig(env: Environment): Config {
  const flags = [env['NODE_OPTIONS'], ...process.execArgv].join(' ')
  return loadConfig({ ...env, NODE_OPTIONS: flags }, path => readFileSync(path, 'utf8'))
}

/** The exit code says whether the token would be accepted. */
async function explain(config: Config): Promise<void> {
  const { runExplainToken } = await import('./parts/explain/command.ts')
  const { stdin, stdout } = process
  process.exitCode = await runExplainToken(config, { stdin, write: text => void stdout.write(text) })
}

/** The exit code says whether the files are whole. */
async function verify(args: readonly string[], env: Environment): Promise<void> {
  const { runAuditVerify } = await import('./parts/audit/verify-command.ts')
  const read = { env, readFile: (path: string) => readFileSync(path, 'utf8') }
  try {
    process.exitCode = await runAuditVerify(args, { ...read, write: text => void process.stdout.write(text) })
  } catch (error) {
    refuseFor(error)
  }
}

/** Each role loads only what it needs, once the configuration is known to be right. */
async function run(read: Config, releaseSignals: () => void): Promise<void> {
  const { prepareDataDirectory } = await import('./parts/data-directory.ts')
  const { config, notes } = prepareDataDirectory(read)
  const { createProcessLog } = await import('./observability/logger.ts')
  const log = createProcessLog(config.logLevel, { instance: config.instance, worker: cluster.worker?.id })
  const { tellOfSecrets, watchSecrets } = await import('./parts/watched-secrets.ts')
  const { logEvents } = await import('./observability/event-log.ts')
  watchSecrets(log.tripwire, config)
  tellOfSecrets(log.tripwire, logEvents(log.log), () => performance.now())
  if (!cluster.isWorker) for (const note of notes) log.log.info(note)
  try {
    if (cluster.isWorker) await (await import('./process/cluster/worker.ts')).runWorker(config, log)
    else if (config.workers > 1)
      await (await import('./process/cluster/primary.ts')).runPrimary(config, log, releaseSignals)
    else await (await import('./process/run.ts')).runSingle(config, log, releaseSignals)
  } catch (error) {
    await log.flush()
    // A line that is still being written would keep the process.
    setTimeout(() => process.exit(), CLOSING_MS).unref()
    throw error
  }
  // Node itself does it at the end, which a process that is killed does not have.
  flushCompileCache()
}

/** Beside the sentences on standard error, where standard output is read by a program. */
async function logRefusal(error: unknown): Promise<void> {
  if (process.stdout.isTTY || cluster.isWorker) return
  const sentences = error instanceof ConfigError ? error.problems : sentencesOf(error)
  const { createProcessLog } = await import('./observability/logger.ts')
  const { log, flush } = createProcessLog('fatal', null)
  for (const sentence of sentences) log.fatal(sentence)
  await flush()
}

function sentencesOf(error: unknown): readonly string[] {
  return error instanceof StoreError || error instanceof StartError ? error.message.split('\n') : []
}

function refuseFor(error: unknown): void {
  if (error instanceof ConfigError) {
    refuse(EXIT_CONFIG, `The configuration is wrong:\n${error.problems.map(text => `  - ${text}`).join('\n')}`)
  } else if (error instanceof StoreError) refuse(1, error.message)
  else if (error instanceof StartError) refuse(error.exitCode, error.message)
  else throw error
}
