// Switches set by name, from a command line or another process.
import { CHOICES, DEFAULT_SWITCHES, type Switches } from './switches.ts'

interface Shape {
  readonly words: string
  readonly fits: (value: unknown) => boolean
}

const isNumber = (value: unknown): boolean => typeof value === 'number'

function shapeOf(name: keyof Switches): Shape {
  const choices: readonly unknown[] | undefined = Object.entries(CHOICES).find(([known]) => known === name)?.[1]
  if (choices) return { words: choices.join(', '), fits: value => choices.includes(value) }
  const usual = DEFAULT_SWITCHES[name]
  if (usual === null) return { words: 'a number or null', fits: value => value === null || isNumber(value) }
  if (Array.isArray(usual)) return { words: 'a list of strings', fits: Array.isArray }
  if (typeof usual === 'boolean') return { words: 'true or false', fits: value => typeof value === 'boolean' }
  if (typeof usual === 'number') return { words: 'a number', fits: isNumber }
  return { words: '{"code":status}', fits: value => typeof value === 'object' && value !== null }
}

const isSwitch = (name: string): name is keyof Switches => Object.hasOwn(DEFAULT_SWITCHES, name)

/** Changes switches by name, for those who have only text; throws one sentence when a name or a value is wrong. */
export function applySwitches(switches: Switches, changes: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(changes)) {
    if (!isSwitch(name)) {
      throw new Error(`there is no switch "${name}"; there are ${Object.keys(DEFAULT_SWITCHES).join(', ')}`)
    }
    const { words, fits } = shapeOf(name)
    if (!fits(value)) throw new Error(`the switch "${name}" takes ${words}`)
    Object.assign(switches, { [name]: value })
  }
}
