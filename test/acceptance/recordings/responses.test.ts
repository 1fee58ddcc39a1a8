// Every recorded answer with a message, as CometChat's answer to a post; and every recorded thread, as what is read after a
// post without an answer.
import t from 'tap'
import { recording, recordingNames } from '../../emulator/recordings.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem, type ProblemCode } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

type Json = Record<string, unknown>

/**
 * As it came: the answer is about another reply. Made ours: the same with the sender and the parent of the reply, which
 * is all that makes it ours. Many of them are no answers to a post at all, and are read all the same.
 */
const VERDICTS = `
  file                                         as it came         made ours
  ios-card                                     upstream-mismatch  201
  ios-form                                     upstream-mismatch  201
  ios-id-number                                upstream-mismatch  201
  ios-media                                    upstream-mismatch  201
  legacy-after-message                         upstream-mismatch  201
  multi-uids-all-failed                        rejected-by-cometchat  rejected-by-cometchat
  multi-uids-bare                              upstream-mismatch  201
  multi-uids-ok                                upstream-mismatch  201
  multi-uids-partly                            upstream-mismatch  201
  oas2023-delete-messages-id                   upstream-mismatch  201
  oas2023-get-conversations-nested-19          upstream-mismatch  201
  oas2023-get-messages-0                       upstream-mismatch  201
  oas2023-get-messages-id-thread-0             upstream-mismatch  201
  oas2023-get-users-uid-conversation-nested-20 upstream-mismatch  201
  oas2023-get-users-uid-messages-0             upstream-mismatch  201
  oas2023-get-users-uid-messages-1             upstream-mismatch  201
  oas2023-post-groups-guid-members-nested-10   upstream-mismatch  201
  oas2023-post-groups-guid-members-nested-7    upstream-mismatch  201
  oas2023-post-groups-guid-members-nested-8    upstream-mismatch  201
  oas2023-post-groups-guid-members-nested-9    upstream-mismatch  201
  oas2023-post-messages                        upstream-mismatch  201
  oas2023-post-messages-id-thread              upstream-mismatch  201
  oas2023-put-messages-id                      upstream-mismatch  201
  oas2026-delete-messages-id                   upstream-mismatch  201
  oas2026-get-messages-0                       upstream-mismatch  201
  oas2026-get-messages-id-thread-0             upstream-mismatch  201
  oas2026-post-messages                        upstream-mismatch  201
  oas2026-post-messages-id-thread              upstream-mismatch  201
  oas2026-put-messages-id                      upstream-mismatch  201
  rn2019-50                                    upstream-mismatch  201
  rn2019-51-receipts                           upstream-mismatch  201
  rn2019-56-blank-text                         upstream-mismatch  201
  sdk-quoted                                   upstream-mismatch  201
  sdk-reactions                                upstream-mismatch  201
  sdk-thread-subscribed                        upstream-mismatch  201
  wh-call-initiated                            upstream-mismatch  201
  wh-message-deleted-action                    upstream-mismatch  201
  wh-message-edited-action                     upstream-mismatch  201
  wh-message-sent                              upstream-mismatch  201
  wh-moderation-approved                       upstream-mismatch  201
  wh-moderation-blocked                        upstream-mismatch  201
  wh-moderation-disapproved                    upstream-mismatch  201
  wh-moderation-manual                         upstream-mismatch  201
  wh-moderation-pending                        upstream-mismatch  201
  wh-user-mentioned                            upstream-mismatch  201
`
const rows = VERDICTS.trim()
  .split('\n')
  .slice(1)
  .map(row => row.trim().split(/ +/))

const { emulator, env, parentId } = await startEmulator(t)
const service = await hostService(t, { ...env, QUIET_PERIOD_MS: '0' })
const toBob = { receiver: 'bob', receiverType: 'user', data: { text: 'hello' } }

/** Whom a recorded answer for several receivers is for. */
const asked = (data: Json) => ({ uids: Object.keys((data['uids'] ?? {}) as Json) })

function answered(data: unknown) {
  const headers = { 'content-type': 'application/json' }
  emulator.failNext({ kind: 'answer', status: 200, headers, body: JSON.stringify({ data }) }, { method: 'POST' })
  const isSeveral = data !== null && typeof data === 'object' && 'uids' in data
  const body = isSeveral ? { ...toBob, multipleReceivers: asked(data as Json) } : toBob
  return postReply(service, { parentId, body })
}

function madeOurs(data: Json): Json {
  const ours = { sender: 'alice', parentId }
  const { uids } = data
  if (uids === undefined) return { ...data, ...ours }
  const entries = Object.entries(uids as Record<string, Json>).map(([uid, entry]) => {
    if ('error' in entry) return [uid, entry]
    return [
      uid,
      'success' in entry
        ? { ...entry, data: { ...(entry['data'] as Json), sender: 'alice' } }
        : { ...entry, sender: 'alice' }
    ]
  })
  return { uids: Object.fromEntries(entries) }
}

t.test('every recorded answer is judged as the table has it', async t => {
  for (const [name = '', asItCame = '', ours = ''] of rows) {
    await t.test(name, async t => {
      const data = recording('responses', name) as Json

      const before = await answered(data)
      const after = await answered(madeOurs(data))

      check(t, before, asItCame)
      check(t, after, ours)
      if (ours !== '201' || 'uids' in data) return
      t.strictSame(after.json.data, madeOurs(data), 'every member is told as it came')
    })
  }
})

function check(t: Parameters<typeof expectProblem>[0], answer: Parameters<typeof expectProblem>[1], verdict: string) {
  if (verdict === '201') t.equal(answer.status, 201, answer.text)
  else expectProblem(t, answer, verdict as ProblemCode)
}

t.test('of several receivers those who were refused are told', async t => {
  const { json } = await answered(madeOurs(recording('responses', 'multi-uids-partly') as Json))

  t.match(json, {
    data: { id: '1' },
    receivers: [{ receiver: 'bob' }],
    failed: [{ receiver: 'nobody', code: 'ERR_UID_NOT_FOUND' }]
  })
})

t.test(
  'a recorded thread, read for a reply that got no answer, neither finds it nor lets it be sent again',
  async t => {
    for (const name of recordingNames('threads')) {
      const recorded = recording('threads', name) as { data: Json[]; meta: Json }
      for (const [whose, data] of [
        ['of another', recorded.data],
        ['made ours', recorded.data.map(message => ({ ...message, sender: 'alice', parentId }))]
      ] as const) {
        const headers = { 'idempotency-key': crypto.randomUUID() }
        emulator.failNext({ kind: 'reset' }, { method: 'POST' })
        const posts = emulator.ledger.length
        expectProblem(t, await postReply(service, { parentId, body: toBob, headers }), 'upstream-reset', {
          hasKey: true
        })
        const body = JSON.stringify({ ...recorded, data })
        emulator.failNext(
          { kind: 'answer', status: 200, headers: { 'content-type': 'application/json' }, body },
          { method: 'GET', times: 50 }
        )

        const retried = await postReply(service, { parentId, body: toBob, headers })

        expectProblem(t, retried, 'idempotency-in-flight', { hasKey: true })
        t.equal(emulator.ledger.length, posts, `${name}, ${whose}`)
        emulator.clear()
      }
    }
  }
)

t.test(
  'status 202, a byte order mark and a coding that is none are read; an unsolicited 100 is found at the retry',
  async t => {
    const data = madeOurs(recording('responses', 'oas2026-post-messages-id-thread') as Json)
    const headers = { 'content-type': 'application/json', 'content-encoding': 'identity' }
    const body = `\ufeff${JSON.stringify({ data })}`
    emulator.failNext({ kind: 'answer', status: 202, headers, body }, { method: 'POST' })
    t.equal((await postReply(service, { parentId, body: toBob })).status, 201)

    const bytes = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'
    emulator.failNext({ kind: 'raw', commit: true, bytes }, { method: 'POST' })
    const posts = emulator.ledger.length
    const key = { 'idempotency-key': crypto.randomUUID() }
    const first = await postReply(service, { parentId, body: toBob, headers: key })
    t.match(first.json, { delivery: 'unknown', retryable: true })
    const second = await postReply(service, { parentId, body: toBob, headers: key })
    t.match([second.status, second.headers.get('idempotent-replayed')], [201, 'true'])
    t.equal(emulator.ledger.length, posts + 1)
  }
)

t.test('every file has a row', async t => {
  t.strictSame(rows.map(([name = '']) => name).sort(), recordingNames('responses').sort())
})
