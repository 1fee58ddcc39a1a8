import { readFileSync } from 'node:fs'

const ROOT = new URL('../', import.meta.url)

/** The flags of Node in the script `start`, good for any working directory. */
export function startFlags(): string[] {
  return wordsOfScript()
    .filter(word => word.startsWith('--'))
    .map(flag => flag.replace('=./', `=${ROOT}`))
}

/** The variables that the script `start` sets. */
export function startEnv(): Record<string, string> {
  const assignments = wordsOfScript().filter(word => /^[A-Z_]+=/.test(word))
  return Object.fromEntries(assignments.map(assignment => assignment.split('=')))
}

function wordsOfScript(): string[] {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))
  return scripts.start.split(' ')
}
