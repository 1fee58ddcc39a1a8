// What the command line says and understands. Pure: `main.ts` does what it decides.
import { parseArgs } from 'node:util'
import { applySwitches } from './apply-switches.ts'
import { DEFAULT_SWITCHES, type Switches } from './switches.ts'

const DEFAULT_PORT = 4000
const MAX_PORT = 65_535
/** What was measured on the real one (docs/cometchat-facts.md §0.4). */
const DEFAULT_SETTLE_MS = 3000

export const HELP = `Usage: npm run emulator -- [flags]

A local CometChat that keeps everything in memory. It stops with Ctrl-C.

  --port <number>         port to listen on (default ${DEFAULT_PORT}; 0 takes a free one)
  --host <address>        address to listen on (default 127.0.0.1)
  --key <text>            the REST API key to accept (default: made from the seed)
  --seed <number>         where all randomness comes from (default 1)
  --settle-ms <number>    how long a new message cannot be acted on (default ${DEFAULT_SETTLE_MS})
  --switch <name=value>   sets one switch, may be repeated: --switch moderation=pending
  --help                  shows this

Switches: ${Object.keys(DEFAULT_SWITCHES).join(', ')}.
emulator/README.md explains them, the faults and the endpoints under /_emulator/.
`

export interface Command {
  readonly help: boolean
  readonly port: number
  readonly host: string
  readonly key: string | undefined
  readonly seed: number
  readonly settleMs: number
  readonly switches: Switches
}

/** A mistake in the flags, told in one sentence. */
export class FlagMistake extends Error {}

function readNumber(flag: string, text: string | undefined, fallback: number, max = Number.MAX_SAFE_INTEGER): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (/^[0-9]+$/.test(text) && value <= max) return value
  throw new FlagMistake(`--${flag} takes a whole number${max === MAX_PORT ? ` from 0 to ${max}` : ''}, not "${text}".`)
}

function readSwitches(assignments: readonly string[]): Switches {
  const switches: Switches = { ...DEFAULT_SWITCHES }
  for (const assignment of assignments) {
    const [name = '', ...rest] = assignment.split('=')
    if (rest.length === 0) throw new FlagMistake(`--switch takes name=value, not "${assignment}".`)
    try {
      applySwitches(switches, { [name]: fromText(rest.join('=')) })
    } catch (error) {
      throw new FlagMistake(
        `--switch ${assignment} is wrong: ${error instanceof Error ? error.message : String(error)}.`
      )
    }
  }
  return switches
}

/** JSON where it is JSON, else the text itself: `true`, `5`, `{"ERR_WRONG_MESSAGE_THREAD":409}`, `pending`. */
function fromText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function parseFlags(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean' },
        port: text,
        host: text,
        key: text,
        seed: text,
        'settle-ms': text,
        switch: { type: 'string', multiple: true }
      }
    }).values
  } catch (error) {
    const [sentence = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/)
    throw new FlagMistake(`${sentence.replace(/\.$/, '')}.`)
  }
}

/** Reads the flags; throws one FlagMistake that names the first wrong one. */
export function readCommand(args: readonly string[]): Command {
  const flags = parseFlags(args)
  return {
    help: flags.help === true,
    port: readNumber('port', flags.port, DEFAULT_PORT, MAX_PORT),
    host: flags.host ?? '127.0.0.1',
    key: flags.key,
    seed: readNumber('seed', flags.seed, 1),
    settleMs: readNumber('settle-ms', flags['settle-ms'], DEFAULT_SETTLE_MS),
    switches: readSwitches(flags.switch ?? [])
  }
}

interface ListenError {
  readonly code?: unknown
}

/** One sentence about why it could not listen, naming the flag that changes it. */
export function explainListenError(error: unknown, { port, host }: Pick<Command, 'port' | 'host'>): string {
  const { code } = (typeof error === 'object' && error !== null ? error : {}) as ListenError
  if (code === 'EADDRINUSE') return `Port ${port} is taken: choose another one with --port, or --port 0 for a free one.`
  if (code === 'EACCES') return `Port ${port} is not allowed for this user: choose one above 1023 with --port.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `This machine has no address "${host}": change --host.`
  return `It cannot listen on ${host}:${port} (${String(code ?? error)}): change --host or --port.`
}
