// A local CometChat for tests and demos: start it, point a client at `url`, then read `requests` and `ledger`.
import { createAdmin } from './admin.ts'
import { createApi } from './api.ts'
import { createAuthTokens } from './auth-token-store.ts'
import { createCarryOut } from './changes.ts'
import type { BeforeSend } from './context.ts'
import { createFaultQueue } from './fault-queue.ts'
import type { CometChatEmulator } from './handles.ts'
import { type ApiKey, createKeys } from './keys.ts'
import { createLedger } from './ledger.ts'
import { createKey, createRandom } from './random.ts'
import { createRateLimit } from './rate-limit.ts'
import { createReadScript } from './read-script.ts'
import { createChatServer, type RequestWatch, type RunningServer } from './server.ts'
import { createState } from './state.ts'
import { DEFAULT_SWITCHES, type Switches } from './switches.ts'
import type { ReceivedRequest } from './types.ts'

export interface EmulatorOptions {
  /** All randomness comes from it. */
  readonly seed?: number
  /** The clock of CometChat in milliseconds. Transport faults (stalls, drips, delays) take real time. */
  readonly now?: () => number
  /** One fullAccess key unless given. */
  readonly apiKeys?: readonly ApiKey[]
  /** For so long after a message is created, acting on it is refused; 0 unless given. */
  readonly settleMs?: number
  readonly switches?: Partial<Switches>
  /** Ids count up from here; `'9007199254740993'` shows who turns them into numbers. */
  readonly firstMessageId?: string
  readonly beforeSend?: BeforeSend
  /** Whether other processes can drive it under `/_emulator/`; off unless given. */
  readonly admin?: boolean
  /** Told of each request as it is received and answered. */
  readonly watch?: RequestWatch
}

const DEFAULT_SEED = 1
const DEFAULT_FIRST_ID = '101'

export function createCometChatEmulator(options: EmulatorOptions = {}): CometChatEmulator {
  const { seed = DEFAULT_SEED, now = Date.now, settleMs = 0, firstMessageId = DEFAULT_FIRST_ID, beforeSend } = options
  const switches: Switches = { ...DEFAULT_SWITCHES, ...options.switches }
  const apiKeys = options.apiKeys ?? [{ key: createKey(createRandom(seed)), scope: 'fullAccess' }]
  const keys = createKeys(apiKeys, switches)
  const state = createState({ now, switches, firstMessageId })
  const carryOut = createCarryOut({ state, switches, now })
  const script = createReadScript(carryOut)
  const ledger = createLedger(state, now)
  const faults = createFaultQueue()
  const rateLimit = createRateLimit(switches, now)
  const { afterRead } = script
  const authTokens = createAuthTokens(now, createRandom(seed))
  const api = createApi({ state, switches, now, settleMs, rateLimit, authTokens, beforeSend, afterRead }, keys)
  let requests: ReceivedRequest[] = []
  let running: RunningServer | undefined

  const emulator: CometChatEmulator = {
    async start({ port = 0, host = '127.0.0.1' } = {}) {
      if (running) throw new Error('the emulator has been started already')
      running = await server.start({ port, host })
      return { url: running.url, port: running.port }
    },
    async stop() {
      const stopping = running?.stop()
      running = undefined
      await stopping
    },
    get url() {
      if (!running) throw new Error('the emulator has no url before it is started')
      return running.url
    },
    apiKey: apiKeys[0]?.key ?? '',
    switches,

    addUser: user => void state.addUser(user),
    addGroup: state.addGroup,
    addMessage: state.addMessage,
    addMember: (guid, uid) => void state.mustHaveGroup(guid).members.add(state.mustHaveUser(uid).uid),
    removeMember: (guid, uid) => void state.mustHaveGroup(guid).members.delete(uid.toLowerCase()),
    ban: (guid, uid) => void state.mustHaveGroup(guid).banned.add(uid.toLowerCase()),
    block: state.block,
    unblock: state.unblock,
    deactivate: uid => {
      state.mustHaveUser(uid).deactivated = true
    },
    deleteMessage: (id, deletion) => carryOut({ kind: 'delete', id, ...deletion }),
    editMessage: (id, data, by) => carryOut({ kind: 'edit', id, data, ...(by !== undefined && { by }) }),
    moderate: (id, status) => carryOut({ kind: 'moderate', id, status }),
    changeAfterRead: script.add,
    addKey: (key, scope = 'fullAccess') => keys.add(key, scope),
    revokeKey: keys.revoke,
    authTokensOf: uid => authTokens.tokensOf(uid.toLowerCase()).map(({ authToken }) => authToken),

    get requests() {
      return requests
    },
    get ledger() {
      return ledger.entries
    },
    clear() {
      requests = []
      ledger.clear()
      faults.forgetPending()
      script.forget()
    },

    failNext: faults.add,
    failWithSeed: faults.drawFrom,
    stopFailing: faults.stopDrawing,
    get pendingFaults() {
      return faults.size
    }
  }

  const admin = options.admin === true ? createAdmin(emulator) : undefined
  const onRequest = (record: ReceivedRequest) => void requests.push(record)
  const keyInText = keys.inText
  const { watch } = options
  const server = createChatServer({ api, admin, faults, ledger, switches, keyInText, now, onRequest, watch })
  return emulator
}
