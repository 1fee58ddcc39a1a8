// Which calls are counted, as whose, and when: a message is admitted before it comes here.
import t from 'tap'
import { type CountedCall, countCalls } from '../../../src/upstream/transport/counted.ts'
import type { UpstreamRequest } from '../../../src/upstream/transport/exchange-types.ts'
import { answer } from '../scripted-cometchat.ts'

const LIMITS = { timeoutMs: 1000 }
const OUTCOME = answer({})
const POST: UpstreamRequest = {
  method: 'POST',
  path: '/v3/messages/1/thread',
  headers: ['onBehalfOf', 'alice'],
  chargedTo: 'alice'
}

function start(refusal?: Error) {
  const did: [what: string, call?: CountedCall][] = []
  const connections = countCalls(
    {
      async exchange() {
        did.push(['exchange'])
        return OUTCOME
      },
      reset: () => void did.push(['reset']),
      close: async () => void did.push(['close'])
    },
    {
      async admit(call) {
        did.push(['admit', call])
        if (refusal) throw refusal
      },
      note(call, outcome) {
        did.push(['note', call])
        t.equal(outcome, OUTCOME)
      }
    }
  )
  return { connections, did }
}

t.test('a message is made and then counted for its user', async t => {
  const { connections, did } = start()
  t.equal(await connections.exchange(POST, LIMITS), OUTCOME)
  t.same(did, [['exchange'], ['note', { uid: 'alice', chargedTo: 'alice', isMessage: true }]])
})

t.test('every other call is admitted first, as the user whom CometChat sees', async t => {
  const read: UpstreamRequest = { ...POST, method: 'GET', headers: ['apikey', 'k', 'onBehalfOf', 'bob'] }
  const change: UpstreamRequest = { ...POST, path: '/v3/users', headers: ['apikey', 'k'] }
  for (const [request, call] of [
    [read, { uid: 'bob', chargedTo: 'alice', isMessage: false }],
    [change, { uid: undefined, chargedTo: 'alice', isMessage: false }]
  ] as const) {
    const { connections, did } = start()
    await connections.exchange(request, LIMITS)
    t.same(did, [['admit', call], ['exchange'], ['note', call]])
  }
})

t.test('a call that is refused is never made', async t => {
  const { connections, did } = start(new Error('no'))
  await t.rejects(connections.exchange({ ...POST, method: 'GET' }, LIMITS), { message: 'no' })
  t.same(
    did.map(([what]) => what),
    ['admit']
  )
})

t.test('the connections themselves are reset and closed', async t => {
  const { connections, did } = start()
  connections.reset()
  await connections.close()
  t.same(did, [['reset'], ['close']])
})
