// The tripwire, told what to look for.
import type { Config } from '../config/load-config.ts'
import { secretsOf } from '../config/secrets-of.ts'
import { createHourly } from '../lib/hourly.ts'
import type { Tripwire } from '../lib/service/tripwire.ts'
import type { Emit } from '../observability/events.ts'

/** Every secret of the configuration, as it was read at the start. */
export function watchSecrets(tripwire: Tripwire, config: Config): void {
  for (const [variable, secrets] of secretsOf(config)) tripwire.watch(variable, secrets)
  const { jwt, issuers } = config.auth
  const ofIssuers = [...(jwt ? [jwt] : []), ...(issuers?.issuers ?? [])].flatMap(({ secrets }) => secrets)
  tripwire.watch('AUTH_JWT_SECRET', ofIssuers)
}

/** Each secret that is stopped is an event; the first one at each way out, and then one an hour, an alarm. */
export function tellOfSecrets(tripwire: Tripwire, emit: Emit, monotonic: () => number): void {
  const isDue = createHourly(monotonic)
  tripwire.listen(stopped => {
    const times = isDue(stopped.exit)
    emit({ name: 'secret-stopped', ...stopped })
    if (times !== undefined) emit({ name: 'alarm', alarm: 'secret-leak', ...stopped, times })
  })
}
