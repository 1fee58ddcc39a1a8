// Every recorded body of a client, through the wire: what becomes of it, and for a refusal why.
import t from 'tap'
import { recording, recordingNames } from '../../emulator/recordings.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

/** Off: refused without COMETCHAT_CATEGORIES, and sent with it. */
const VERDICTS = `
  file                      verdict  pointer                     code            why
  ai-bot-with-sender        400      /sender                     reserved-name   not for callers
  auth-curl-no-category     201
  blank-text                201
  custom-send-notification  201
  custom-with-text          201
  customdata-array          422      /data/customData            wrong-type      must be an object
  customdata-empty          422      /data/customData            too-few         at least 1 entry
  data-ai-reactions         400      /data/reactions             reserved-name   not for callers
  data-entities             400      /data/entities              reserved-name   not for callers
  data-extra-member         201
  data-mentions             201
  data-resource             400      /data/resource              reserved-name   not for callers
  django-text               201
  flutter-thread-group      201
  ios-audio                 201
  ios-card                  off      /category                   not-allowed     switched on
  ios-card-fallback         off      /category                   not-allowed     switched on
  ios-custom                201
  ios-file                  201
  ios-form                  off      /category                   not-allowed     switched on
  ios-image                 201
  ios-scheduler             off      /category                   not-allowed     switched on
  ios-thread-text           201
  ios-video                 201
  location                  201
  media-ext-omitted         201
  media-extra-members       201
  media-http                422      /data/attachments/0/url     wrong-format    not http
  media-long-presigned      201
  media-mime-empty          201
  media-mime-parameter      201
  media-multi               201
  media-no-extension        201
  media-url-space           422      /data/attachments/0/url     wrong-format    write %20
  media-url-unicode         201
  meeting                   201
  mention                   201
  mention-all               201
  metadata-array            422      /data/metadata              wrong-type      must be an object
  metadata-null             422      /data/metadata              wrong-type      is null
  metadata-string           422      /data/metadata              wrong-type      must be an object
  node-group-text           201
  oas-message-muid          201
  oas-thread-default        201
  oas-thread-multiple       201
  parent-in-body            422      /parentMessageId            unknown-member  into the path
  poll                      201
  quoted-reply              201
  react-broadcast           201
  receiver-number           422      /receiver                   wrong-type      must be a text
  receiver-upper            201
  rn-media-size0            201
  rn-sticker                201
  rn-text-muid              201
  tags-null                 422      /multipleReceivers          wrong-type      is null
  text-number               422      /data/text                  wrong-type      must be a text
  top-level-metadata        422      /metadata                   unknown-member  below data
  type-custom-in-message    422      /type                       not-allowed     category must be custom
  whqa-text                 201
`
const rows = VERDICTS.trim()
  .split('\n')
  .slice(1)
  .map(row => row.trim().split(/ {2,}/))
/** A file of eight, which docs/from-the-sdk.md is for. */
const ELSEWHERE = ['sdk-4.2.0-bodies']

const { emulator, env, parentId } = await startEmulator(t)
for (const uid of ['uid1', 'uid2', '12', '13']) emulator.addUser({ uid })
emulator.addGroup({ guid: 'hiking', members: ['alice'] })
emulator.addGroup({ guid: 'guid1', members: ['alice'] })
const inGroup = emulator.addMessage({ sender: 'alice', receiver: 'hiking', receiverType: 'group' })
emulator.addMessage({ id: '99', sender: 'bob', receiver: 'alice', receiverType: 'user' })
const [service, open] = await Promise.all([
  hostService(t, env),
  hostService(t, { ...env, COMETCHAT_CATEGORIES: 'message,custom,interactive,card' })
])

t.test('every recorded body is taken or refused as the table has it', async t => {
  for (const [name = '', verdict = '', pointer, code, why = ''] of rows) {
    await t.test(`${name}: ${verdict}`, async t => {
      const body = recording('requests', name) as Record<string, unknown>
      const send = (to: typeof service) =>
        postReply(to, { parentId: body['receiverType'] === 'group' ? inGroup.id : parentId, body })
      const posts = emulator.ledger.length

      const answer = await send(service)

      if (verdict === '201') {
        t.equal(answer.status, 201, answer.text)
        t.ok(emulator.ledger.length > posts)
        arrived(t, body)
        return
      }
      t.equal(answer.status, verdict === 'off' ? 422 : Number(verdict))
      t.match(answer.json.errors[0], { pointer, code })
      t.match(answer.json.errors[0].detail, why)
      t.equal(emulator.ledger.length, posts, 'nothing was sent')
      if (verdict !== 'off') return
      t.equal((await send(open)).status, 201)
      arrived(t, body)
    })
  }
})

/** What CometChat got is what was sent, but for what this service adds. */
function arrived(t: { match: (found: unknown, wanted: unknown) => unknown }, body: Record<string, unknown>): void {
  t.match(JSON.parse(emulator.requests.at(-1)?.body ?? '{}'), body)
}

t.test('every file has a row', async t => {
  t.strictSame([...rows.map(([name = '']) => name), ...ELSEWHERE].sort(), recordingNames('requests').sort())
})

t.test('the start says what the documents of CometChat do not', async t => {
  await open.lineWhere(({ msg }) =>
    String(msg).startsWith('COMETCHAT_CATEGORIES names a category that CometChat documents')
  )
  t.notOk(service.output.some(line => line.includes('COMETCHAT_CATEGORIES')))
})
