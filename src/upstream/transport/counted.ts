import type { ExchangeResult, UpstreamRequest } from './exchange-types.ts'
import type { Connections } from './pool.ts'

/** A call, as far as CometChat's limits are concerned. */
export interface CountedCall {
  /** The user whom CometChat sees it made for; undefined for one that it takes for the app's own. */
  readonly uid: string | undefined
  /** The user whose request it serves. */
  readonly chargedTo: string | undefined
  /** A message of a user is admitted before it comes here; every other call is this service's own. */
  readonly isMessage: boolean
}

/** Who keeps count of the calls to CometChat. */
export interface CallCounter {
  /** Before a call that is no message. Rejects with what it is refused with. */
  admit(call: CountedCall): Promise<void>
  /** After every call; whatever was not written did not count. */
  note(call: CountedCall, outcome: ExchangeResult): void
}

/** Connections whose calls are counted; a call that is refused is never made. */
export function countCalls(connections: Connections, counter: CallCounter): Connections {
  return {
    async exchange(request, limits) {
      const call = callOf(request)
      if (!call.isMessage) await counter.admit(call)
      const outcome = await connections.exchange(request, limits)
      counter.note(call, outcome)
      return outcome
    },
    reset: () => connections.reset(),
    close: () => connections.close()
  }
}

function callOf({ method, path, headers, chargedTo }: UpstreamRequest): CountedCall {
  const place = headers.indexOf('onBehalfOf')
  return {
    uid: place < 0 ? undefined : headers[place + 1],
    chargedTo,
    isMessage: method === 'POST' && path.endsWith('/thread')
  }
}
