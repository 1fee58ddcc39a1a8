import { readFileSync } from 'node:fs'

const ROOT = new URL('../', import.meta.url)
const ASSIGNMENT = /^([A-Z_]+)=(.*)$/

/** The flags of Node in the script `start`, good for any working directory. */
export function startFlags(): string[] {
  return startWords()
    .filter(word => word.startsWith('--'))
    .map(flag => flag.replace('=./', `=${ROOT}`))
}

/** The variables that the script `start` sets. */
export function startEnv(): Record<string, string> {
  return Object.fromEntries(
    startWords().flatMap(word => {
      const [, name, value] = ASSIGNMENT.exec(word) ?? []
      return name !== undefined && value !== undefined ? [[name, value]] : []
    })
  )
}

function startWords(): string[] {
  return String(JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')).scripts.start).split(' ')
}
