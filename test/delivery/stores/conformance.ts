// What every store must do; each store's test file runs all of it.
import type { Test } from 'tap'
import {
  type AcquireResult,
  type Acquisition,
  ANY_CONTENT,
  type RecordedOutcome,
  type RecordStore
} from '../../../src/delivery/record.ts'
import { testSearch } from './conformance-search.ts'
import { testSharing } from './conformance-sharing.ts'
import { testTime } from './conformance-time.ts'
import { DONE, HOUR_MS, type MakeKit, newClaim, SEEN, STATES, type State } from './store-kit.ts'

type Act = (store: RecordStore, claim: Acquisition) => Promise<unknown>
type Effect = { readonly answer?: unknown; readonly becomes?: State }
type Effects = Readonly<Partial<Record<State, Effect>>>

const OTHER: RecordedOutcome = { kind: 'done', messageId: '999', body: '{"data":{"id":"999"}}' }
const AS_SENT: AcquireResult = { kind: 'acquired-as-sent' }
const no: Effect = { answer: false }
const nothing: Effect = {}
const finished: Effect = { becomes: 'done' }
const forgotten: Effect = { becomes: 'none' }
const same = (effect: Effect): Readonly<Record<State, Effect>> => each({ open: effect, settled: effect, none: effect })

function each({ open, settled, none }: Record<'open' | 'settled' | 'none', Effect>): Readonly<Record<State, Effect>> {
  return { none, pending: open, abandoned: open, sent: open, 'in-doubt': open, done: settled, refused: settled }
}

function without(state: State, effects: Effects): Effects {
  return Object.fromEntries(Object.entries(effects).filter(([name]) => name !== state))
}

/** Whatever it says, the record stays what it is. */
function answered(answerIn: (state: State) => AcquireResult): Effects {
  return Object.fromEntries((Object.keys(STATES) as State[]).map(state => [state, { answer: answerIn(state) }]))
}

/** Each transition from each state: what it answers, and what the record is then; the same state unless said. */
const TRANSITIONS: readonly (readonly [title: string, act: Act, effects: Effects])[] = [
  [
    'markSent by its owner',
    (store, { key }) => store.markSent(key, 'A'),
    { ...same(no), pending: { answer: true, becomes: 'sent' }, sent: { answer: true } }
  ],
  ['markSent by a stranger', (store, { key }) => store.markSent(key, 'B'), same(no)],
  [
    'doubt by its owner',
    (store, { key }) => store.markInDoubt(key, 'A'),
    { ...same(nothing), sent: { becomes: 'in-doubt' } }
  ],
  ['doubt by a stranger', (store, { key }) => store.markInDoubt(key, 'B'), same(nothing)],
  ['reclaim from a wrong owner', (store, claim) => store.takeOver(claim.key, 'C', { ...claim, owner: 'B' }), same(no)],
  [
    'reclaim from its owner',
    (store, claim) => store.takeOver(claim.key, 'A', { ...claim, owner: 'B' }),
    { ...same(no), 'in-doubt': { answer: true, becomes: 'pending' } }
  ],
  [
    'finish by its owner',
    async (store, { key }) => store.complete(key, 'A', DONE),
    each({ open: finished, settled: nothing, none: nothing })
  ],
  ['finish by a stranger', async (store, { key }) => store.complete(key, 'B', OTHER), same(nothing)],
  [
    'finish by the marker',
    async (store, { key }) => store.complete(key, undefined, DONE),
    each({ open: finished, settled: nothing, none: nothing })
  ],
  [
    'release by its owner',
    async (store, { key }) => store.release(key, 'A'),
    each({ open: forgotten, settled: nothing, none: nothing })
  ],
  ['release by a stranger', async (store, { key }) => store.release(key, 'B'), same(nothing)],
  [
    'a second claim by its owner',
    async (store, claim) => store.acquire(claim),
    {
      none: { answer: SEEN.none, becomes: 'pending' },
      pending: { answer: SEEN.none },
      abandoned: { answer: SEEN.none },
      sent: { answer: SEEN.sent },
      'in-doubt': { answer: SEEN['in-doubt'] },
      done: { answer: SEEN.done },
      refused: { answer: SEEN.refused }
    }
  ],
  [
    'a claim as SENT by its owner',
    async (store, claim) => store.acquire(claim, 'sent'),
    {
      none: { answer: AS_SENT, becomes: 'sent' },
      pending: { answer: AS_SENT, becomes: 'sent' },
      abandoned: { answer: AS_SENT, becomes: 'sent' },
      sent: { answer: AS_SENT },
      'in-doubt': { answer: SEEN['in-doubt'] },
      done: { answer: SEEN.done },
      refused: { answer: SEEN.refused }
    }
  ],
  [
    'a claim as SENT by a stranger',
    async (store, claim) => store.acquire({ ...claim, owner: 'B' }, 'sent'),
    {
      none: { answer: AS_SENT, becomes: 'sent' },
      pending: { answer: SEEN.pending },
      abandoned: { answer: AS_SENT, becomes: 'sent' },
      sent: { answer: SEEN.sent },
      'in-doubt': { answer: SEEN['in-doubt'] },
      done: { answer: SEEN.done },
      refused: { answer: SEEN.refused }
    }
  ],
  [
    'a claim as SENT with another body',
    async (store, claim) => store.acquire({ ...claim, owner: 'B', fingerprint: 'b'.repeat(64) }, 'sent'),
    without('none', same({ answer: { kind: 'mismatch' } }))
  ],
  [
    'a claim with another body',
    async (store, claim) => store.acquire({ ...claim, owner: 'B', fingerprint: 'b'.repeat(64) }),
    without('none', same({ answer: { kind: 'mismatch' } }))
  ],
  ['a peek', async (store, claim) => store.peek({ ...claim, owner: 'B' }), answered(state => SEEN[state])],
  [
    'a peek with another body',
    async (store, claim) => store.peek({ ...claim, owner: 'B', fingerprint: 'b'.repeat(64) }),
    answered(state => (state === 'none' ? SEEN.none : { kind: 'mismatch' }))
  ],
  [
    'a peek at whatever body there is',
    async (store, claim) => store.peek({ ...claim, owner: 'B', fingerprint: ANY_CONTENT }),
    answered(state => SEEN[state])
  ]
]

export function testStore(t: Test, makeKit: MakeKit): void {
  testTransitions(t, makeKit)
  testSearch(t, makeKit)
  testTime(t, makeKit)
  testSharing(t, makeKit)
}

function testTransitions(t: Test, makeKit: MakeKit): void {
  for (const [title, act, effects] of TRANSITIONS) {
    t.test(`${title} does in each state what it must, and nothing else`, async t => {
      const kit = await makeKit(t)
      const store = await kit.open()
      // Nothing is believed of a time that this process has not watched.
      await kit.pass(HOUR_MS)

      for (const [state, { answer, becomes = state }] of Object.entries(effects) as [State, Effect][]) {
        const claim = newClaim()
        await STATES[state](store, claim, kit)
        t.same(withoutTime(await act(store, claim)), withoutTime(answer), `${state}: the answer`)
        const seen = await store.acquire({ ...claim, owner: 'stranger' })
        t.same(withoutTime(seen), withoutTime(SEEN[becomes]), `${state}: it is ${becomes} then`)
      }
    })
  }
}

function withoutTime(result: unknown): unknown {
  const isDoubtful = typeof result === 'object' && result !== null && 'quietForMs' in result
  return isDoubtful ? { ...result, quietForMs: 0 } : result
}
