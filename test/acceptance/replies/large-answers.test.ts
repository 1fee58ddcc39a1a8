// Answers of CometChat that come in many pieces, on many connections at once: none loses a piece or gets another's.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { startService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'
import { startFront } from '../../helpers/unreliable-front.ts'

const AT_ONCE = 40
const { emulator, env, parentId } = await startEmulator(t)
const front = await startFront(t, emulator.url)
front.treat(front.good)
const services = {
  http: await hostService(t, env),
  https: await startService(t, { ...env, COMETCHAT_BASE_URL: front.url, NODE_EXTRA_CA_CERTS: front.caFile })
}
const token = await tokenFor('alice')

for (const [scheme, service] of Object.entries(services)) {
  t.test(`${AT_ONCE} replies of different lengths over ${scheme} are each answered with their own text`, async t => {
    const texts = Array.from({ length: AT_ONCE }, (_, index) => `${index} ${'ä€😀x'.repeat(index * 250)} ${index}`)

    const answers = await Promise.all(
      texts.map(text =>
        postReply(service, { parentId, token, body: { receiver: 'bob', receiverType: 'user', data: { text } } })
      )
    )

    for (const [index, { status, json }] of answers.entries()) {
      t.equal(status, 201)
      t.equal((json as { data: { data: { text: string } } }).data.data.text, texts[index])
    }
  })
}
