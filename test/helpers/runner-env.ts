/** What the runner of the tests shares with them, by the variables that say where. */
const SHARED = ['NODE_COMPILE_CACHE', 'TESTS_DIRECTORY']

/**
 * For the environment of a program that a test starts and that would get none of ours: what Node makes of each module, and
 * what initdb makes, is most of what such a start costs.
 */
export function runnerEnv(): Record<string, string> {
  return Object.fromEntries(
    SHARED.flatMap(name => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    })
  )
}
