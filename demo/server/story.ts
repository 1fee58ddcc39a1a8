// What happens, hop by hop: from a browser to the service, and from there to CometChat.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { RequestWatch } from '../../emulator/server.ts'
import type { ReceivedRequest } from '../../emulator/types.ts'
import { asText, pairsOf } from './redact.ts'

/** As many as somebody would scroll through. */
const MOST_HOPS = 120

export interface Hop {
  readonly id: number
  /** Joins the hops that one request of a browser has caused. */
  readonly trip: string
  readonly from: 'browser' | 'backend' | 'service'
  readonly to: 'service' | 'backend' | 'CometChat'
  /** Whose phone it was; empty for a call from elsewhere. */
  readonly phone: string
  readonly title: string
  /** Whether it only reads, as a phone does all the time. */
  readonly isRead: boolean
  /** `lost`: the connection ended without an answer. */
  state: 'running' | 'answered' | 'lost'
  status?: number
  /** What was made to go wrong, by the name that the emulator has for it. */
  fault?: string
  tookMs?: number
  request: string
  answer: string
}

export type Trip = Pick<Hop, 'trip' | 'phone' | 'isRead'> & { readonly isStraight: boolean }
export type Story = ReturnType<typeof createStory>

export function createStory() {
  const hops: Hop[] = []
  const listeners = new Set<(hop: Hop) => void>()
  const ofRecord = new WeakMap<ReceivedRequest, { readonly hop: Hop; readonly startedMs: number }>()
  const trips = new Map<string, Trip>()
  let lastId = 0

  const tell = (hop: Hop): void => {
    for (const listener of listeners) listener(hop)
  }

  const begin = (facts: Omit<Hop, 'id' | 'state' | 'answer' | 'request'>, request = ''): Hop => {
    lastId += 1
    const hop: Hop = { ...facts, id: lastId, state: 'running', request, answer: '' }
    hops.push(hop)
    // What only reads is the first to go.
    if (hops.length > MOST_HOPS)
      hops.splice(
        Math.max(
          0,
          hops.findIndex(one => one.isRead)
        ),
        1
      )
    tell(hop)
    return hop
  }

  /** A look for a reply says nothing of the request that it is for: whose user it names has one under way. */
  const underWay = ({ headers }: ReceivedRequest): Trip | undefined => {
    const user = headers['onbehalfof'] ?? ''
    const asked = hops.filter(({ to, state, phone }) => to === 'service' && state === 'running' && phone === user)
    const hop = asked.findLast(({ isRead }) => !isRead) ?? asked.at(-1)
    return hop && { trip: hop.trip, phone: hop.phone, isRead: hop.isRead, isStraight: false }
  }

  const watch: RequestWatch = {
    received(record) {
      const trip =
        trips.get(record.headers['traceparent']?.split('-')[1] ?? '') ?? underWay(record) ?? elsewhere(record)
      const from = trip.isStraight ? 'backend' : 'service'
      const title = `${record.method} ${record.path.replace(/\?.*/, '')}`
      const facts = { trip: trip.trip, phone: trip.phone, isRead: trip.isRead, title, to: 'CometChat' } as const
      ofRecord.set(record, { hop: begin({ ...facts, from }), startedMs: performance.now() })
    },
    answered(record, { status, headers, body }) {
      const hop = ofRecord.get(record)?.hop
      if (!hop) return
      const given = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)])
      hop.answer = asText(`HTTP/1.1 ${status}`, given, String(body))
    },
    ended(record) {
      const { hop, startedMs } = ofRecord.get(record) ?? {}
      if (!hop || startedMs === undefined) return
      hop.request = asText(`${record.method} ${record.path} HTTP/1.1`, pairsOf(record.rawHeaders), record.body)
      hop.tookMs = Math.round(performance.now() - startedMs)
      hop.state = record.status === undefined ? 'lost' : 'answered'
      if (record.status !== undefined) hop.status = record.status
      if (record.fault !== undefined) hop.fault = record.fault
      tell(hop)
    }
  }

  return {
    hops: hops as readonly Hop[],
    watch,
    begin,
    tell,

    /** Begins what one request of a phone causes; `traceparent` joins the calls to it that follow. */
    beginTrip(phone: string, isRead: boolean, isStraight = false): Trip & { readonly traceparent: string } {
      const trip = { trip: randomBytes(16).toString('hex'), phone, isRead, isStraight }
      trips.set(trip.trip, trip)
      if (trips.size > MOST_HOPS) trips.delete(trips.keys().next().value ?? '')
      return { ...trip, traceparent: `00-${trip.trip}-${randomBytes(8).toString('hex')}-01` }
    },

    /** The returned function ends it. */
    listen(listener: (hop: Hop) => void): () => void {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
  }
}

/** A call that no phone has caused, as one from the terminal. */
function elsewhere({ method, connection, atMs }: ReceivedRequest): Trip {
  return { trip: `${connection}-${atMs}`, phone: '', isRead: method === 'GET', isStraight: false }
}

/** The request of a browser as text. */
export function requestText({ method, rawHeaders }: IncomingMessage, path: string, body: string): string {
  return asText(`${method} ${path} HTTP/1.1`, pairsOf(rawHeaders), body)
}
