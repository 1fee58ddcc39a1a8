/**
 * For the environment of a program that a test starts and that would get none of ours: where the runner of the tests
 * keeps what Node makes of each module, which is most of what such a start costs.
 */
export function compileCacheEnv(): Record<string, string> {
  const directory = process.env['NODE_COMPILE_CACHE']
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: directory }
}
