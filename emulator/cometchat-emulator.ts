// A local CometChat for tests and demos: start it, point a client at `url`, then read `requests` and `ledger`.
import { createAdmin } from './admin.ts'
import { createApi } from './api.ts'
import type { BeforeSend } from './context.ts'
import { createFaultQueue, type FaultMatch } from './fault-queue.ts'
import type { Fault, FaultName } from './faults.ts'
import { type ApiKey, createKeys, type KeyScope } from './keys.ts'
import { createLedger } from './ledger.ts'
import { createKey, createRandom } from './random.ts'
import { createRateLimit } from './rate-limit.ts'
import { createChatServer, type RunningServer } from './server.ts'
import { createState } from './state.ts'
import { DEFAULT_SWITCHES, type Switches } from './switches.ts'
import type { NewGroup, NewMessage, NewUser, PostedMessage, ReceivedRequest, StoredMessage } from './types.ts'

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
}

export interface CometChatEmulator {
  start(options?: { readonly port?: number; readonly host?: string }): Promise<{ url: string; port: number }>
  /** Ends at once: open sockets are destroyed. */
  stop(): Promise<void>
  readonly url: string
  readonly apiKey: string
  /** May be changed at any time; the next request meets the change. */
  readonly switches: Switches

  addUser(user: NewUser): void
  addGroup(group: NewGroup): void
  /** Adds a message that exists already. It is settled unless `sentAtMs` says otherwise, and not in the ledger. */
  addMessage(message: NewMessage): StoredMessage
  addMember(guid: string, uid: string): void
  removeMember(guid: string, uid: string): void
  ban(guid: string, uid: string): void
  block(blocker: string, blocked: string): void
  deactivate(uid: string): void
  deleteMessage(id: string): void
  addKey(key: string, scope?: KeyScope): void
  revokeKey(key: string): void

  readonly requests: readonly ReceivedRequest[]
  /** One entry per message posted. Late commits appear here once their instant has passed on `now`. */
  readonly ledger: readonly PostedMessage[]
  /** Forgets requests, ledger and pending faults; keeps users, groups and messages. */
  clear(): void

  /** The next matching request, and only it, meets this fault; several wait in order. */
  failNext(fault: Fault, match?: FaultMatch): void
  /** From now on each request draws from the seed whether it meets one of these faults. */
  failWithSeed(seed: number, rate: number, faults?: readonly FaultName[]): void
  stopFailing(): void
  readonly pendingFaults: number
}

const DEFAULT_SEED = 1
const DEFAULT_FIRST_ID = '101'

export function createCometChatEmulator(options: EmulatorOptions = {}): CometChatEmulator {
  const { seed = DEFAULT_SEED, now = Date.now, settleMs = 0, firstMessageId = DEFAULT_FIRST_ID, beforeSend } = options
  const switches: Switches = { ...DEFAULT_SWITCHES, ...options.switches }
  const apiKeys = options.apiKeys ?? [{ key: createKey(createRandom(seed)), scope: 'fullAccess' }]
  const keys = createKeys(apiKeys)
  const state = createState({ now, switches, firstMessageId })
  const ledger = createLedger(state, now)
  const faults = createFaultQueue()
  const rateLimit = createRateLimit(switches, now)
  const api = createApi({ state, switches, now, settleMs, rateLimit, beforeSend }, keys)
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
    deactivate: uid => {
      state.mustHaveUser(uid).deactivated = true
    },
    deleteMessage: id => {
      state.mustHaveMessage(id).deletedAtMs = now()
    },
    addKey: (key, scope = 'fullAccess') => keys.add(key, scope),
    revokeKey: keys.revoke,

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
    },

    failNext: faults.add,
    failWithSeed: faults.drawFrom,
    stopFailing: faults.stopDrawing,
    get pendingFaults() {
      return faults.size
    }
  }

  const admin = options.admin === true ? createAdmin(emulator) : undefined
  const server = createChatServer({ api, admin, faults, ledger, now, onRequest: record => requests.push(record) })
  return emulator
}
