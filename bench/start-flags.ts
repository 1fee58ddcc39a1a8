import { readFileSync } from 'node:fs'

const ROOT = new URL('../', import.meta.url)

/** The flags of Node in the script `start`, good for any working directory. */
export function startFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))
  return String(scripts.start)
    .split(' ')
    .filter(word => word.startsWith('--'))
    .map(flag => flag.replace('=./', `=${ROOT}`))
}
