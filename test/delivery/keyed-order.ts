import type { ReplyCommand } from '../../src/delivery/command.ts'
import type { CometChatUid } from '../../src/lib/service/cometchat-uid.ts'
import { LogFields } from '../../src/observability/log-fields.ts'

/** A reply of alice with a key. */
export function keyedOrder(facts = new LogFields()): ReplyCommand {
  return {
    parentId: '1',
    message: { category: 'message', type: 'text', data: { text: 'hello' } },
    author: { issuer: 'https://issuer.test', subject: 'alice', uid: 'alice' as CometChatUid },
    idempotencyKey: 'a-key',
    isWaiting: () => true,
    facts
  }
}
