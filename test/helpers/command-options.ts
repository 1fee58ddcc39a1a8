/** sysexits.h: EX_USAGE. */
const EXIT_USAGE = 64

/**
 * The options of a command; undefined where it is over with what was read: `help` for its help, or a sentence about a
 * mistake, which is said with it.
 */
export function optionsOrUsage<Options extends object>(read: Options | string, usage: string): Options | undefined {
  if (typeof read !== 'string') return read
  if (read === 'help') process.stdout.write(usage)
  else {
    process.stderr.write(`${read}\n\n${usage}`)
    process.exitCode = EXIT_USAGE
  }
  return undefined
}
