// Every recorded error as the answer to a post: what a caller is told, and what of CometChat's code.
import t from 'tap'
import { recording, recordingNames } from '../../emulator/recordings.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem, type ProblemCode } from '../../helpers/problem.ts'
import { IN_MEMORY, readiness } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

/** Shown: the caller sees the code. The status is CometChat's, and decides nothing below 500 but for 429. */
const VERDICTS = `
  status  file                                     problem                  shown
  400     angular-internal-4xx                     upstream-error           -
  500     angular-internal-500                     upstream-error           -
  400     app-blocked-by-extension                 rejected-by-cometchat    ERR_BLOCKED_BY_EXTENSION
  401     guide-auth_err_apikey_not_found          upstream-credentials     -
  401     guide-auth_err_auth_token_not_found      upstream-credentials     -
  401     guide-auth_err_empty_apikey              upstream-credentials     -
  401     guide-auth_err_empty_appid               upstream-misconfigured   -
  401     guide-auth_err_empty_auth_header         upstream-credentials     -
  401     guide-auth_err_empty_auth_token          upstream-credentials     -
  401     guide-auth_err_invalid_appid             upstream-misconfigured   -
  401     guide-auth_err_no_access                 upstream-credentials     -
  404     guide-err_api_not_found                  upstream-misconfigured   -
  404     guide-err_apikey_not_found               upstream-credentials     -
  400     guide-err_bad_error_response             upstream-error           -
  400     guide-err_bad_request                    rejected-by-cometchat    ERR_BAD_REQUEST
  400     guide-err_banned_groupmember             thread-not-found         -
  400     guide-err_blocked_by_extension           rejected-by-cometchat    ERR_BLOCKED_BY_EXTENSION
  400     guide-err_blocked_by_webhook             rejected-by-cometchat    ERR_BLOCKED_BY_WEBHOOK
  403     guide-err_blocked_receiver               rejected-by-cometchat    ERR_BLOCKED_RECEIVER
  403     guide-err_blocked_sender                 rejected-by-cometchat    ERR_BLOCKED_SENDER
  404     guide-err_bot_not_found                  rejected-by-cometchat    ERR_BOT_NOT_FOUND
  403     guide-err_conversation_not_accessible    thread-not-found         -
  404     guide-err_conversation_not_found         thread-not-found         -
  400     guide-err_empty_custom_data              rejected-by-cometchat    ERR_EMPTY_CUSTOM_DATA
  400     guide-err_empty_message_category         rejected-by-cometchat    ERR_EMPTY_MESSAGE_CATEGORY
  400     guide-err_empty_message_file             rejected-by-cometchat    ERR_EMPTY_MESSAGE_FILE
  400     guide-err_empty_message_text             rejected-by-cometchat    ERR_EMPTY_MESSAGE_TEXT
  400     guide-err_empty_message_type             rejected-by-cometchat    ERR_EMPTY_MESSAGE_TYPE
  400     guide-err_empty_receiver                 rejected-by-cometchat    ERR_EMPTY_RECEIVER
  400     guide-err_exception                      upstream-error           -
  404     guide-err_extension_not_found            rejected-by-cometchat    ERR_EXTENSION_NOT_FOUND
  403     guide-err_feature_not_accessible         rejected-by-cometchat    ERR_FEATURE_NOT_ACCESSIBLE
  403     guide-err_group_no_clearance             thread-not-found         -
  403     guide-err_group_no_scope_clearance       thread-not-found         -
  400     guide-err_group_not_joined               thread-not-found         -
  404     guide-err_guid_not_found                 thread-not-found         -
  400     guide-err_invalid_api_version            upstream-misconfigured   -
  400     guide-err_invalid_custom_data            rejected-by-cometchat    ERR_INVALID_CUSTOM_DATA
  400     guide-err_invalid_media_message          rejected-by-cometchat    ERR_INVALID_MEDIA_MESSAGE
  400     guide-err_invalid_message_category       rejected-by-cometchat    ERR_INVALID_MESSAGE_CATEGORY
  400     guide-err_invalid_message_data           rejected-by-cometchat    ERR_INVALID_MESSAGE_DATA
  400     guide-err_invalid_message_text           rejected-by-cometchat    ERR_INVALID_MESSAGE_TEXT
  400     guide-err_invalid_message_type           rejected-by-cometchat    ERR_INVALID_MESSAGE_TYPE
  400     guide-err_invalid_metadata               rejected-by-cometchat    ERR_INVALID_METADATA
  400     guide-err_invalid_receiver_type          rejected-by-cometchat    ERR_INVALID_RECEIVER_TYPE
  400     guide-err_message_action_not_allowed     rejected-by-cometchat    ERR_MESSAGE_ACTION_NOT_ALLOWED
  404     guide-err_message_id_not_found           thread-not-found         -
  403     guide-err_message_no_access              thread-not-found         -
  400     guide-err_message_not_a_sender           rejected-by-cometchat    ERR_MESSAGE_NOT_A_SENDER
  400     guide-err_message_thread_nesting         thread-mismatch          -
  400     guide-err_mission_failed                 upstream-error           -
  404     guide-err_msg_not_found                  thread-not-found         -
  400     guide-err_not_a_friend                   rejected-by-cometchat    ERR_NOT_A_FRIEND
  400     guide-err_not_a_member                   thread-not-found         -
  400     guide-err_operation_failed               upstream-error           -
  403     guide-err_permission_denied              rejected-by-cometchat    ERR_PERMISSION_DENIED
  400     guide-err_plan_quota_restriction         rejected-by-cometchat    ERR_PLAN_QUOTA_RESTRICTION
  400     guide-err_plan_restriction               rejected-by-cometchat    ERR_PLAN_RESTRICTION
  404     guide-err_role_not_found                 rejected-by-cometchat    ERR_ROLE_NOT_FOUND
  400     guide-err_subscription_expired           upstream-misconfigured   -
  429     guide-err_too_many_requests              rate-limited             -
  404     guide-err_uid_not_found                  rejected-by-cometchat    ERR_UID_NOT_FOUND
  400     guide-err_wrong_message_thread           thread-mismatch          -
  400     guide-err_wrong_message_thread_category  thread-mismatch          -
  417     live-already-joined                      rejected-by-cometchat    ERR_ALREADY_JOINED
  401     live-apikey-not-found                    upstream-credentials     -
  400     live-banned                              thread-not-found         -
  403     live-conversation-not-accessible         thread-not-found         -
  400     live-empty-text                          rejected-by-cometchat    ERR_EMPTY_MESSAGE_TEXT
  401     live-group-not-joined                    thread-not-found         -
  404     live-message-not-found                   thread-not-found         -
  403     live-no-access                           thread-not-found         -
  404     live-not-a-member                        thread-not-found         -
  404     live-unknown-receiver                    rejected-by-cometchat    ERR_UID_NOT_FOUND
  400     php-error_badRequest_400                 rejected-by-cometchat    ERR_BAD_REQUEST
  403     php-error_invalidApiKey_403              upstream-credentials     -
  404     php-error_notFound_404                   rejected-by-cometchat    ERR_UID_NOT_FOUND
  429     skill-rate-limit                         rate-limited             -
`
const rows = VERDICTS.trim()
  .split('\n')
  .slice(1)
  .map(row => row.trim().split(/ +/))

t.setTimeout(120_000)
const { emulator, env, parentId } = await startEmulator(t)
const service = await hostService(t, env)
const reply = { parentId, body: { data: { text: 'hello' }, receiver: 'bob', receiverType: 'user' } }
const verboseOf = async () => (await fetch(`${service.adminUrl}/readyz?verbose`)).json()

async function meet(name: string, headers: Record<string, string> = {}) {
  const { status, body } = recording('errors', name) as { status: number; body: unknown }
  emulator.failNext(
    { kind: 'answer', status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    { method: 'POST' }
  )
  return { status, answer: await postReply(service, { ...reply, headers }) }
}

t.test('every recorded error is told as the table has it', async t => {
  for (const [recorded = '', name = '', problem = '', shown = ''] of rows) {
    await t.test(name, async t => {
      const { status, answer } = await meet(name)

      t.equal(String(status), recorded)
      expectProblem(t, answer, problem as ProblemCode, shown === '-' ? { without: ['ERR_'] } : {})
      t.same(
        (answer.json?.errors ?? []).map(({ code }: { code: string }) => code),
        shown === '-' ? [] : [shown]
      )
    })
  }
})

t.test('every file has a row', async t => {
  t.strictSame(rows.map(([, name]) => name).sort(), recordingNames('errors').sort())
})

t.test(
  'a refused app is told to the operator once, takes no call from anybody, and is forgotten after a good answer',
  async t => {
    await meet('guide-err_api_not_found')
    await meet('guide-err_subscription_expired')
    t.same(await verboseOf(), {
      status: 'ready',
      reasons: [],
      warnings: [
        'cometchat-misconfigured: ERR_API_NOT_FOUND',
        'cometchat-misconfigured: ERR_SUBSCRIPTION_EXPIRED',
        IN_MEMORY
      ]
    })

    t.equal((await postReply(service, reply)).status, 201)

    t.same(await verboseOf(), { status: 'ready', reasons: [], warnings: [IN_MEMORY] })
    t.equal((await readiness(service))[0], 200)
    const alarms = service.logLines().filter(line => line['upstreamCode'] && line['msg'] === 'alarm')
    t.strictSame(
      alarms.map(({ alarm, upstreamCode }) => `${alarm} ${upstreamCode}`),
      [
        'upstream-misconfigured AUTH_ERR_EMPTY_APPID',
        'upstream-misconfigured AUTH_ERR_INVALID_APPID',
        'upstream-misconfigured ERR_API_NOT_FOUND',
        'upstream-feature-refused ERR_FEATURE_NOT_ACCESSIBLE',
        'upstream-misconfigured ERR_INVALID_API_VERSION',
        'upstream-feature-refused ERR_PLAN_QUOTA_RESTRICTION',
        'upstream-feature-refused ERR_PLAN_RESTRICTION',
        'upstream-misconfigured ERR_SUBSCRIPTION_EXPIRED'
      ],
      'each once, though one was met twice'
    )
  }
)

t.test('neither of the two kinds is kept under a key', async t => {
  for (const name of ['guide-err_plan_restriction', 'guide-err_subscription_expired']) {
    const headers = { 'idempotency-key': crypto.randomUUID() }

    const { answer } = await meet(name, headers)

    t.not(answer.status, 201)
    t.equal((await postReply(service, { ...reply, headers })).status, 201, name)
  }
})
