import { type Family, gauge } from '../../observability/metrics/family.ts'
import type { Bearer } from '../bearer.ts'
import type { CometChat } from '../cometchat.ts'
import type { Limits } from '../limits.ts'
import type { OwnLogin } from '../own-login.ts'
import type { Records } from '../records.ts'

/** Whom a scrape asks how it is. */
export interface Asked {
  readonly bearer: Pick<Bearer, 'keyAges'>
  readonly login: Pick<OwnLogin, 'keyAges'> | undefined
  readonly cometchat: Pick<CometChat, 'load' | 'keyAgeMs'>
  readonly limits: Pick<Limits, 'appRemainingRatio'>
  readonly records: Pick<Records, 'counts' | 'isForgetful'>
}

/** What is not counted as it happens, but looked at when a scraper comes. */
export function gaugesOf({ bearer, login, cometchat, limits, records }: Asked): Family[] {
  const { inFlight, limit } = cometchat.load()
  const counts = Object.entries(records.counts() ?? {})
  return [
    gauge('upstream_inflight', 'Calls to CometChat that are under way.', inFlight),
    gauge('upstream_limit', 'How many calls to CometChat may be under way.', limit),
    gauge('quota_remaining_ratio', 'How much of the minute of the app is left.', limits.appRemainingRatio()),
    gauge(
      'records',
      'Delivery records, by state.',
      counts.map(([state, value]) => ({ labels: { state }, value }))
    ),
    gauge('store_forgetful', 'Whether records may be missing that were kept.', records.isForgetful() ? 1 : 0),
    gauge(
      'jwks_age_seconds',
      'Since the keys of an issuer were read.',
      ages([...bearer.keyAges(), ...(login?.keyAges() ?? [])])
    ),
    gauge('cometchat_key_age_seconds', 'Since the keys of CometChat changed.', cometchat.keyAgeMs() / 1000)
  ]
}

/** An issuer that two parts ask for its keys is told once, with the older ones. */
function ages(all: ReturnType<Bearer['keyAges']>) {
  const oldest = new Map<string, number>()
  for (const { issuer, ageMs } of all) oldest.set(issuer, Math.max(ageMs, oldest.get(issuer) ?? 0))
  return Array.from(oldest, ([issuer, ageMs]) => ({ labels: { issuer }, value: ageMs / 1000 }))
}
