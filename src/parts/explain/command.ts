import type { Readable } from 'node:stream'
import type { Config } from '../../config/load-config.ts'
import { type Explanation, explainToken } from './explain-token.ts'

/** Longer than any token that is accepted, so that one that is too long is told so. */
const MAX_INPUT_LENGTH = 64 * 1024
const EXIT_ACCEPTED = 0
const EXIT_REFUSED = 1

/** Says of the token on standard input whether it would be accepted, and why; resolves with the exit code. */
export async function runExplainToken(
  config: Config,
  { stdin, write }: { readonly stdin: Readable; readonly write: (text: string) => void }
): Promise<number> {
  let text = ''
  for await (const chunk of stdin.setEncoding('utf8')) {
    if (text.length <= MAX_INPUT_LENGTH) text += chunk
  }
  const explanation = await explainToken(config, text)
  write(explanationText(explanation))
  return explanation.refusal ? EXIT_REFUSED : EXIT_ACCEPTED
}

/** Each check in a line, then what comes of them. */
export function explanationText({ checks, uid, refusal, notes }: Explanation): string {
  const width = Math.max(0, ...checks.map(({ subject }) => subject.length))
  return [
    ...checks.map(({ subject, fits, finding, reason }) => {
      const word = fits || reason === undefined ? '' : ` (${reason})`
      return `  ${fits ? 'fits ' : 'FAILS'}  ${subject.padEnd(width)}  ${finding}${word}`
    }),
    ...notes.map(note => `  note   ${note}`),
    refusal
      ? `refused: ${refusal.reason} (${refusal.code})`
      : `accepted: a reply is posted as UID ${JSON.stringify(uid)}`,
    ''
  ].join('\n')
}
