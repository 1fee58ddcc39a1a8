// Every recorded refusal: it can be ordered as a fault, and where a rule brings it, the text is the recorded one.
import t from 'tap'
import type { CometChatEmulator } from '../../emulator/handles.ts'
import { recording, recordingNames } from './recordings.ts'
import { call, type Reply, reply, replyToTeam, startEmulator, toBob, verdict } from './start-emulator.ts'

interface RecordedError {
  readonly status: number
  readonly body: { readonly error: RecordedBody }
}

interface RecordedBody {
  readonly code: string
  readonly message: string
  readonly devMessage: string
  readonly details?: Record<string, unknown>
}

const errorOf = (name: string) => recording('errors', name) as RecordedError
/** Statuses that the error guide leaves to guess, and that are guessed otherwise here; `statuses` has the last word. */
const GUESSED_OTHERWISE = ['ERR_BAD_ERROR_RESPONSE', 'ERR_BANNED_GROUPMEMBER', 'ERR_EXCEPTION', 'ERR_OPERATION_FAILED']
/** A recording gives the status that the guide leaves to guess. */
const RECORDED_ELSEWHERE = ['AUTH_ERR_NO_ACCESS', 'ERR_GROUP_NOT_JOINED', 'ERR_NOT_A_MEMBER', 'ERR_MISSION_FAILED']

for (const name of recordingNames('errors')) {
  t.test(`the refusal ${name} can be ordered`, async t => {
    const emulator = await startEmulator(t)
    const { status, body } = errorOf(name)
    const { code, message, devMessage, details } = body.error
    emulator.failNext({ kind: 'error', status, code, message, devMessage, ...(details && { details }) })
    emulator.failNext({ kind: 'error', code })

    const asRecorded = await reply(emulator)
    const byCode = await reply(emulator)

    t.equal(asRecorded.status, status)
    t.strictSame(JSON.parse(asRecorded.text), body)
    t.match(byCode.json.error, { code, source: 'chat-api' })
    const hasOwnStatus = name.startsWith('guide-')
      ? [...GUESSED_OTHERWISE, ...RECORDED_ELSEWHERE].includes(code)
      : /4xx|banned/.test(name)
    if (!hasOwnStatus) t.equal(byCode.status, status)
    t.strictSame(emulator.ledger, [])
  })
}

for (const code of ['ERR_ACTION_NOT_ALLOWED', 'ERR_FILE_COUNT_EXCEEDED', 'ERR_FILE_SIZE_EXCEEDED']) {
  t.test(`the code ${code}, which only the SDK has, can be ordered`, async t => {
    const emulator = await startEmulator(t)
    emulator.failNext({ kind: 'error', code })

    t.match(verdict(await reply(emulator)), new RegExp(`^4\\d\\d ${code}$`))
  })
}

const MASKED_KEY = `11111${'0'.repeat(22)}11111`

/** What brings each of them about by a rule, with names that fit the recorded text. */
const BY_RULE: Readonly<Record<string, (emulator: CometChatEmulator) => Promise<Reply>>> = {
  'live-apikey-not-found': emulator => reply(emulator, toBob, { key: MASKED_KEY }),
  'php-error_invalidApiKey_403': emulator => {
    emulator.addKey('1234567890', 'authOnly')
    emulator.switches.keyInErrors = 'repeated'
    return reply(emulator, toBob, { key: '1234567890' })
  },
  'php-error_notFound_404': emulator => call(emulator, '/users/123123'),
  'php-error_badRequest_400': emulator => call(emulator, '/users', { body: {} }),
  'live-no-access': emulator => {
    emulator.addMessage({ id: '7', sender: 'carol', receiver: 'dave', receiverType: 'user' })
    return call(emulator, '/messages/7/thread', { as: 'bob', body: toBob })
  }
}

for (const [name, cause] of Object.entries(BY_RULE)) {
  t.test(`a rule brings ${name} with the recorded text`, async t => {
    const answer = await cause(await startEmulator(t))

    t.strictSame({ status: answer.status, body: JSON.parse(answer.text) as unknown }, errorOf(name))
  })
}

/** Of these the code and the status are recorded, not the text. */
const BY_RULE_WITHOUT_TEXT: Readonly<Record<string, (emulator: CometChatEmulator) => Promise<Reply>>> = {
  'live-empty-text': emulator => reply(emulator, { ...toBob, data: { text: '' } }),
  'live-group-not-joined': emulator => replyToTeam(emulator, undefined, { as: 'dave' }),
  'live-message-not-found': emulator => call(emulator, '/messages/999', { method: 'PUT', as: 'alice', body: {} }),
  'live-unknown-receiver': emulator =>
    call(emulator, '/messages', { as: 'alice', body: { ...toBob, receiver: 'no-such-user' } }),
  'app-blocked-by-extension': emulator => {
    emulator.switches.blockedWords = ['Tom']
    return reply(emulator)
  },
  'guide-err_message_not_a_sender': emulator =>
    call(emulator, '/messages/100', { method: 'PUT', as: 'alice', body: { data: { text: 'x' } } })
}

for (const [name, cause] of Object.entries(BY_RULE_WITHOUT_TEXT)) {
  t.test(`a rule brings ${name} with the recorded status and code`, async t => {
    const { status, body } = errorOf(name)
    const { code, details } = body.error

    const answer = await cause(await startEmulator(t))

    t.equal(verdict(answer), `${status} ${code}`)
    t.strictSame(answer.json.error['details'], details)
  })
}

t.test('a key is masked but for five characters at each end, and wholly when it is short', async t => {
  const emulator = await startEmulator(t)
  const shown = async (key: string) => (await reply(emulator, toBob, { key })).json.error['message']

  t.equal(await shown('abcdefghijklm'), 'The key abcde***ijklm does not exist. Please use correct apiKey.')
  t.equal(await shown('abcdefghij'), 'The key ********** does not exist. Please use correct apiKey.')
  emulator.switches.keyInErrors = 'repeated'
  t.equal(await shown('abcdefghij'), 'The key abcdefghij does not exist. Please use correct apiKey.')
})
