import { parseArgs } from 'node:util'

const DEFAULT_PORT = 3000
const MAX_PORT = 65_535

export const HELP = `Usage: npm run demo -- [flags]

Starts a local CometChat, an OpenID provider, the service, and a page with two phones that shows what travels
between them. It serves until Ctrl-C. Nothing leaves this machine, and nothing is left behind.

  --port <number>  first of five ports (default ${DEFAULT_PORT}): the service, its probes, the page, the sign-in, CometChat;
                   a free one stands in for each that is taken, and 0 takes free ones for all
  --verbose        sends a first reply, shows it at every hop, prints a curl, and shows the log of the service
  --once           the same, and ends after the reply: status 0 if it arrived at CometChat once, else 1
  --help           shows this

The service gets this shell's environment, so SETTLE_MS, QUIET_PERIOD_MS, REPLY_DEADLINE_MS, STORE_URL and the like can
be tried; COMETCHAT_*, AUTH_* and UID_* are the demo's own. NO_COLOR takes the colours away.
`

export interface Command {
  readonly help: boolean
  readonly once: boolean
  readonly verbose: boolean
  readonly port: number
}

/** A mistake in the flags, told in one sentence. */
export class FlagMistake extends Error {}

/** Reads the flags; throws one FlagMistake that names the first wrong one. */
export function readCommand(args: readonly string[]): Command {
  const { help = false, once = false, verbose = false, port } = parseFlags(args)
  return { help, once, verbose: verbose || once, port: readPort(port) }
}

function parseFlags(args: readonly string[]) {
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({
      args: [...args],
      options: { help: flag, once: flag, verbose: flag, port: { type: 'string' } }
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
