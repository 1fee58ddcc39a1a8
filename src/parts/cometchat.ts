// The part of src/app.ts that joins the calls to CometChat.
import type { Config } from '../config/load-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Emit } from '../observability/events.ts'
import {
  type CometChatClient,
  type CometChatClientOptions,
  createCometChatClient
} from '../upstream/cometchat-client.ts'
import { withEnsuredSender } from '../upstream/ensure-sender.ts'
import { createKeyring, type Keyring } from '../upstream/keyring.ts'
import { createReceivers, type ReceiverOf } from '../upstream/receivers.ts'
import { createConnections } from '../upstream/transport/pool.ts'
import { createCometChatUsers } from '../upstream/users.ts'

/** How long a refused key keeps this instance out of the balancer before it is tried again. */
const REFUSED_KEY_MS = 30_000

export interface CometChat {
  readonly client: CometChatClient
  readonly receiverOf: ReceiverOf
  readonly keyring: Keyring
  readonly isReady: () => boolean
  close(): Promise<void>
}

export interface CometChatParts {
  readonly clock: Clock
  readonly emit: Emit
  /** Uniform in [0, 1). */
  readonly random: () => number
}

export function createCometChat(
  { cometchat, delivery, uid }: Config,
  { clock, emit, random }: CometChatParts
): CometChat {
  const keyring = createKeyring(cometchat.apiKeys, () => clock.monotonic())
  const connections = createConnections({ origin: cometchat.origin })
  const options: CometChatClientOptions = { connections, keyring, clock, random, settleMs: delivery.settleMs, emit }
  const client = withEnsuredSender({
    client: createCometChatClient(options),
    users: createCometChatUsers(options),
    create: uid.create,
    emit
  })
  return {
    client,
    receiverOf: createReceivers(client),
    keyring,
    isReady: () => (keyring.refusedForMs() ?? REFUSED_KEY_MS) >= REFUSED_KEY_MS,
    close: () => connections.close()
  }
}
