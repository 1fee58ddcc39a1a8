// A reply to several receivers: what became of it at each, and that it is never sent again to those who have it.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { isReplayed } from '../../helpers/keyed-replies.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

const { emulator, env, parentId } = await startEmulator(t)
for (const uid of ['dave', 'erin']) emulator.addUser({ uid })
const service = await hostService(t, { ...env, QUIET_PERIOD_MS: '0', REPLY_DEADLINE_MS: '5000' })
const toThread = { receiver: 'bob', receiverType: 'user' }

function send(uids: readonly string[], key: string = crypto.randomUUID(), rest: object = {}) {
  const headers = { 'idempotency-key': key, ...rest }
  const body = { ...toThread, data: { text: 'hello' }, multipleReceivers: { uids, guids: ['team'] } }
  return postReply(service, { parentId, headers, body })
}

const receiversSince = (count: number) => emulator.ledger.slice(count).map(({ message }) => message['receiver'])

t.test('all are sent: the message of the first, and those of all of them', async t => {
  const before = emulator.ledger.length

  const { status, json, text } = await send(['carol', 'dave'])

  t.equal(status, 201)
  t.match(json.data, { receiver: 'bob', sender: 'alice' })
  t.same(
    json.receivers.map((told: Record<string, unknown>) => [told['receiver'], told['receiverType']]),
    [
      ['bob', 'user'],
      ['carol', 'user'],
      ['dave', 'user'],
      ['team', 'group']
    ]
  )
  t.match(json.receivers[2], { data: { id: /^\d+$/, receiver: 'dave' } })
  t.notOk('failed' in json)
  t.notMatch(text, 'bffDelivery')
  t.equal(emulator.ledger.length, before + 4)
})

t.test('some are refused for certain: the rest is sent, and a retry tells the same without sending', async t => {
  const key = crypto.randomUUID()
  const before = emulator.ledger.length

  const first = await send(['carol', 'nobody'], key)
  const again = await send(['carol', 'nobody'], key)
  const minimal = await send(['carol', 'nobody'], key, { prefer: 'return=minimal' })

  t.equal(first.status, 201)
  t.same(first.json.failed, [{ receiver: 'nobody', code: 'ERR_UID_NOT_FOUND' }])
  t.same([again.json, isReplayed(again)], [first.json, true])
  t.same(minimal.json, { data: { id: first.json.data.id }, failed: first.json.failed })
  t.equal(emulator.ledger.length, before + 3)
})

t.test('each is refused by a refusal: nothing was sent, and it says which', async t => {
  const errors = { bob: 'ERR_BLOCKED_RECEIVER', carol: 'ERR_UID_NOT_FOUND', team: 'ERR_GROUP_NOT_JOINED' }
  emulator.failNext({ kind: 'receiver-answers', errors }, { method: 'POST' })

  const answer = await send(['carol'])

  expectProblem(t, answer, 'rejected-by-cometchat', { hasKey: true, without: ['ERR_GROUP'] })
  t.same(
    answer.json.errors.map(({ pointer, code }: Record<string, string>) => [pointer, code]),
    [
      ['/receiver', 'ERR_BLOCKED_RECEIVER'],
      ['/multipleReceivers/uids/0', 'ERR_UID_NOT_FOUND'],
      ['/multipleReceivers/guids/0', 'thread-not-found']
    ]
  )
})

for (const [what, fault, code] of [
  ['a server fault at one', { kind: 'receiver-answers', errors: { carol: 'ERR_EXCEPTION' } }, 'upstream-invalid'],
  ['one is missing in the answer', { kind: 'receiver-answers', missing: ['carol'] }, 'upstream-invalid'],
  ['there is no answer', { kind: 'reset', commit: true }, 'upstream-reset'],
  ['an answer about somebody else', { kind: 'receiver-answers', added: ['erin'] }, 'upstream-mismatch']
] as const) {
  t.test(`${what}: it stays unknown and is never sent again`, async t => {
    const key = crypto.randomUUID()
    const before = emulator.ledger.length
    emulator.failNext(fault, { method: 'POST' })

    expectProblem(t, await send(['carol', 'dave'], key), code, { hasKey: true, delivery: 'unknown' })
    const asked = emulator.requests.length
    for (let retry = 0; retry < 3; retry++) {
      const again = await send(['carol', 'dave'], key)
      expectProblem(t, again, 'idempotency-in-flight', { hasKey: true, delivery: 'unknown' })
      t.ok(again.json.retryAfterMs >= 3_600_000, 'nothing new is to be expected soon')
    }

    t.same(receiversSince(before), ['bob', 'carol', 'dave', 'team'], 'each once')
    t.equal(emulator.requests.length, asked, 'the thread could not tell, so it is not read')
  })
}
