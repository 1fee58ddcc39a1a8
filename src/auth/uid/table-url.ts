import type { Secret } from '../../lib/secret.ts'
import { tableUrl } from '../../lib/service/uid-table.ts'
import { UnexpectedStatus } from '../../outbound/fetch-json.ts'
import type { UidLookup } from './table.ts'

type FetchJson = (url: string, options: { readonly authorization?: string }) => Promise<unknown>

/** Asks `GET <template>` for a user's UID: `{"uid": "…"}`, or 404 for a user without one. */
export function createUrlLookup(template: string, token: Secret | undefined, fetchJson: FetchJson): UidLookup {
  const options = token ? { authorization: `Bearer ${token.reveal()}` } : {}
  return async key => {
    // A path of dots names another address, whichever way it is encoded.
    if (/^\.{1,2}$/.test(key.subject)) return undefined
    const answer = await fetchJson(tableUrl(template, key), options).catch(ofNobody)
    if (answer === undefined) return undefined
    const uid = typeof answer === 'object' && answer !== null && 'uid' in answer ? answer.uid : undefined
    if (typeof uid === 'string') return uid
    throw new TypeError('an answer without a uid')
  }
}

function ofNobody(error: unknown): undefined {
  if (error instanceof UnexpectedStatus && error.status === 404) return undefined
  throw error
}
