import type { EnvReader } from '../env-reader.ts'

const MODES = ['enforce', 'observe', 'off'] as const
const MAX_PER_MINUTE = 1_000_000_000
/** As many receivers beside the conversation of the thread as are taken unless the environment says otherwise. */
const RECEIVERS = 25

/** How much an address, a user and the app may do in a minute. 0 switches a limit off. */
export function loadLimitsConfig(reader: EnvReader) {
  const perMinute = (name: string, fallback: number): number => reader.integer(name, fallback, [0, MAX_PER_MINUTE])
  const mode = reader.choice('LIMIT_MODE', 'enforce', MODES)
  const userPerMinute = perMinute('LIMIT_USER_PER_MINUTE', 30)
  const appPerMinute = perMinute('LIMIT_APP_PER_MINUTE', 20_000)
  const sharePercent = reader.integer('LIMIT_USER_SHARE', 25, [0, 100])
  const failuresPerMinute = perMinute('LIMIT_FAILURES_PER_MINUTE', 120)
  const addressPerMinute = perMinute('LIMIT_ADDRESS_PER_MINUTE', 6000)
  if (appPerMinute > 0 && userPerMinute > appPerMinute) {
    reader.refuse(
      'LIMIT_USER_PER_MINUTE (30 unless it is set) is above LIMIT_APP_PER_MINUTE: no user can have more than the app.'
    )
  }
  const share = appPerMinute > 0 && sharePercent > 0 ? Math.floor((appPerMinute * sharePercent) / 100) : 0
  if (appPerMinute > 0 && sharePercent > 0 && share === 0) {
    reader.refuse('LIMIT_USER_SHARE of LIMIT_APP_PER_MINUTE is less than one message: nobody could send any.')
  }
  if (addressPerMinute > 0 && failuresPerMinute > addressPerMinute) {
    reader.refuse('LIMIT_FAILURES_PER_MINUTE is above LIMIT_ADDRESS_PER_MINUTE: it could never be reached.')
  }
  const caps = [userPerMinute, share].filter(limit => limit > 0)
  return {
    mode,
    userPerMinute,
    /** Of one user, by whichever of the two is smaller; 0 for no limit. */
    userLimit: caps.length === 0 ? 0 : Math.min(...caps),
    appPerMinute,
    /** Of one service that acts for users; 0 for no limit. */
    serviceLimit: share,
    failuresPerMinute,
    addressPerMinute
  }
}

export type LimitsConfig = ReturnType<typeof loadLimitsConfig>

/** How many receivers a reply may have beside its thread's: each costs one, so there are never more than a user has. */
export function loadMultipleReceiversMax(reader: EnvReader, { mode, userLimit }: LimitsConfig): number {
  const isLimited = mode === 'enforce' && userLimit > 0
  const most = isLimited ? Math.min(RECEIVERS, userLimit - 1) : RECEIVERS
  const max = reader.integer('MULTIPLE_RECEIVERS_MAX', most, [0, 1000])
  if (isLimited && max > 0 && max >= userLimit) {
    reader.refuse(
      'MULTIPLE_RECEIVERS_MAX must be below what a user may send in a minute (LIMIT_USER_PER_MINUTE, LIMIT_USER_SHARE): else a reply to all of them could never be sent.'
    )
  }
  return max
}
