import { parseArgs } from 'node:util'

const DEFAULT_PORT = 3000
const MAX_PORT = 65_535

export const HELP = `Usage: npm run demo -- [flags]

Starts a local CometChat, a token issuer and the service, sends a first reply, shows what travelled,
prints a curl for your own replies, and serves until Ctrl-C. Nothing leaves this machine.

  --port <number>  port of the service (default ${DEFAULT_PORT}; a free one when it is taken; 0 takes free ones for all)
  --once           ends after the first reply: status 0 if it arrived at CometChat once, else 1
  --help           shows this

The service gets this shell's environment, so LOG_LEVEL, SETTLE_MS and the like can be tried;
COMETCHAT_*, AUTH_* and UID_* are the demo's own.
`

export interface Command {
  readonly help: boolean
  readonly once: boolean
  readonly port: number
}

/** A mistake in the flags, told in one sentence. */
export class FlagMistake extends Error {}

/** Reads the flags; throws one FlagMistake that names the first wrong one. */
export function readCommand(args: readonly string[]): Command {
  const { help = false, once = false, port } = parseFlags(args)
  return { help, once, port: readPort(port) }
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { help: { type: 'boolean' }, once: { type: 'boolean' }, port: { type: 'string' } }
    }).values
  } catch (error) {
    const [sentence = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/)
    throw new FlagMistake(`${sentence.replace(/\.$/, '')}.`)
  }
}

function readPort(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= MAX_PORT) return Number(text)
  throw new FlagMistake(`--port takes a whole number from 0 to ${MAX_PORT}, not "${text}".`)
}
