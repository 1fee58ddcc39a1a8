// What a process that serves replies does beside its port and its signals, alone or as one of several.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Service } from '../app.ts'
import { parseApiKeys } from '../config/cometchat.ts'
import type { Config } from '../config/load-config.ts'
import { watchFileText } from '../lib/watch-file.ts'

export function followApiKeyFile({ keyring }: Service, { cometchat: { apiKeyFile } }: Config, log: Logger): void {
  if (apiKeyFile === undefined) return
  watchFileText(apiKeyFile, text => {
    const keys = parseApiKeys(text)
    if (keys) keyring.replace(keys)
    log.info({ accepted: keys !== undefined, keys: keyring.fingerprints() }, 'COMETCHAT_API_KEY_FILE changed')
  })
}

/** Takes no more calls, and resolves once what was under way has ended or had its time. */
export async function closeService({ app, drain }: Service): Promise<void> {
  // What has arrived is read first: a connection with an unread request looks idle, and would be ended under it.
  await nextTurn()
  await nextTurn()
  const graceMs = drain.close()
  const idle = setInterval(() => app.server.closeIdleConnections(), 100)
  const forced = setTimeout(() => app.server.closeAllConnections(), graceMs)
  await app.close()
  clearInterval(idle)
  clearTimeout(forced)
}
