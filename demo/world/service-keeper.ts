// The service, and another one in its place after it was killed on purpose.
import { DemoFailure, type ServiceAddresses, spawnService } from './service.ts'

export type KeptService = ReturnType<typeof keepService>

/** Starts the service; `restart` kills it as `kill -9` does and starts it again where it was. */
export function keepService(env: NodeJS.ProcessEnv) {
  const died = Promise.withResolvers<never>()
  // Whether anybody waits for it or not, the demo ends by `main.ts` alone.
  died.promise.catch(() => undefined)
  let print: ((line: string) => void) | undefined
  let addresses: ServiceAddresses | undefined
  let restarting: Promise<void> | undefined
  let current = start()

  function start() {
    const service = spawnService(env)
    if (print) service.showLog(print)
    void service.ended.then(code => {
      if (service === current && !restarting)
        died.reject(new DemoFailure(`The service ended by itself with status ${code}.`))
    })
    return service
  }

  async function killAndStart(stopping: AbortSignal): Promise<void> {
    await current.kill()
    current = start()
    await current.ready(stopping)
  }

  return {
    /** Rejects with a DemoFailure when the service ends and nobody asked for that. */
    died: died.promise,

    async ready(stopping: AbortSignal): Promise<ServiceAddresses> {
      addresses = await current.ready(stopping)
      return addresses
    },

    /** Resolves when the next one is ready; one at a time. */
    restart(): Promise<void> {
      restarting ??= killAndStart(new AbortController().signal).finally(() => {
        restarting = undefined
      })
      return restarting
    },

    /** Shows the log from its first line on, and every line that follows. */
    showLog(show: (line: string) => void): void {
      print = show
      current.showLog(show)
    },

    async stop(): Promise<void> {
      restarting ??= Promise.resolve()
      await current.stop()
    }
  }
}
