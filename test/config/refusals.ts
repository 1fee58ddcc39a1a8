import { ConfigError } from '../../src/config/env-reader.ts'

/** What a configuration is refused with, sentence by sentence; none where it is taken. */
export function refusalsOf(load: () => unknown): readonly string[] {
  try {
    load()
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
