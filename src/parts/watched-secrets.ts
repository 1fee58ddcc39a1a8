// The tripwire, told what to look for.
import type { Config } from '../config/load-config.ts'
import { createHourly } from '../lib/hourly.ts'
import type { Tripwire } from '../lib/tripwire/tripwire.ts'
import type { Emit } from '../observability/events.ts'

/**
 * The secrets of the configuration that no person has thought of: made by CometChat, or of at least 32 bytes. A text out of
 * which something is cut tells its writer that a guess was right, so what may be guessed is left alone.
 */
export function watchSecrets(tripwire: Tripwire, { cometchat, delivery, audit, auth }: Config): void {
  const ofIssuers = [...(auth.jwt ? [auth.jwt] : []), ...(auth.issuers?.issuers ?? [])]
  tripwire.watch('COMETCHAT_API_KEY', cometchat.apiKeys)
  tripwire.watch('STORE_SECRET', delivery.secret ? [delivery.secret] : [])
  tripwire.watch('AUDIT_SECRET', audit?.secrets ?? [])
  tripwire.watch(
    'AUTH_JWT_SECRET',
    ofIssuers.flatMap(({ secrets }) => secrets)
  )
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
