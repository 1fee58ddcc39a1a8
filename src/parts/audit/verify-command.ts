import { createSeal } from '../../audit/chain.ts'
import { verifyFiles } from '../../audit/verify-files.ts'
import type { Environment } from '../../config/env-reader.ts'
import { loadAuditSecrets } from '../../config/files/audit.ts'

export interface AuditVerifyOptions {
  readonly env: Environment
  readonly readFile: (path: string) => string
  readonly write: (text: string) => void
}

/** sysexits.h: EX_USAGE and EX_NOINPUT. */
const EXIT_USAGE = 64
const EXIT_NO_INPUT = 66
const ANCHORS = '--anchors'

/**
 * Says whether audit files are whole, and returns the exit code: 0 whole, 1 broken, 2 unfinished, 66 where a file cannot be
 * read. `--anchors` may be given several times. Throws a ConfigError without AUDIT_SECRET.
 */
export async function runAuditVerify(
  args: readonly string[],
  { env, readFile, write }: AuditVerifyOptions
): Promise<number> {
  const anchorLogs = args.filter((_, index) => args[index - 1] === ANCHORS)
  const files = args.filter((arg, index) => arg !== ANCHORS && args[index - 1] !== ANCHORS)
  const unknown = files.find(arg => arg.startsWith('--'))
  if (unknown !== undefined || files.length === 0 || args.at(-1) === ANCHORS) {
    write('Usage: AUDIT_SECRET=… npm run audit:verify -- FILE… [--anchors LOG]\n')
    return EXIT_USAGE
  }
  const seals = loadAuditSecrets(env, readFile).map(createSeal)
  try {
    const { exitCode, report } = await verifyFiles(files, { anchorLogs, seals })
    write(`${report}\n`)
    return exitCode
  } catch (error) {
    const { path, code } = error as NodeJS.ErrnoException
    if (path === undefined) throw error
    write(`${path} cannot be read (${code}).\n`)
    return EXIT_NO_INPUT
  }
}
