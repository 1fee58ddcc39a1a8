// The same handles as the library's, for other processes: JSON over HTTP under /_emulator/.
import type { ServerResponse } from 'node:http'
import { applySwitches } from './apply-switches.ts'
import { FAULT_KINDS, type Fault, type FaultName, isFaultName, NAMED_FAULTS } from './faults.ts'
import type { CometChatEmulator } from './handles.ts'
import type { KeyScope } from './keys.ts'
import type { Change, ChangeMatch, JsonObject, ModerationStatus, NewGroup, NewMessage, NewUser } from './types.ts'

export interface AdminRequest {
  readonly method: string
  readonly path: string
  readonly body: string
}

export type Admin = (request: AdminRequest, res: ServerResponse) => void

/** What `POST /_emulator/state` takes; every member is optional. */
interface StateChange {
  readonly users?: readonly NewUser[]
  readonly groups?: readonly NewGroup[]
  readonly messages?: readonly NewMessage[]
  readonly blocks?: readonly { readonly blocker: string; readonly blocked: string }[]
  readonly deactivate?: readonly string[]
  readonly deleteMessages?: readonly string[]
  readonly addKeys?: readonly { readonly key: string; readonly scope?: KeyScope }[]
  readonly revokeKeys?: readonly string[]
  readonly editMessages?: readonly { readonly id: string; readonly data: JsonObject; readonly by?: string }[]
  readonly moderate?: readonly { readonly id: string; readonly status: ModerationStatus }[]
  /** Changes that wait for the answer to a list of a thread. */
  readonly afterRead?: readonly (ChangeMatch & { readonly change: Change })[]
  readonly switches?: JsonObject
}

interface FaultOrder {
  readonly fault: unknown
  readonly method?: string
  readonly path?: string
  readonly times?: number
}

/** A mistake of the caller, told in one sentence. */
class AdminMistake extends Error {}

function toFault(given: unknown): Fault {
  if (typeof given === 'string' && isFaultName(given)) return NAMED_FAULTS[given]
  const { kind, bytesBase64, bodyBase64, ...rest } = (given ?? {}) as JsonObject
  if (typeof kind !== 'string' || !FAULT_KINDS.has(kind)) {
    throw new AdminMistake(`No such fault: ${JSON.stringify(given)}. GET /_emulator/faults lists them.`)
  }
  const decoded = (name: string, text: unknown) =>
    typeof text === 'string' ? { [name]: Buffer.from(text, 'base64') } : {}
  // The other members are as the caller wrote them: this is a tool for tests, and a wrong one only fails the test.
  return { ...rest, kind, ...decoded('bytes', bytesBase64), ...decoded('body', bodyBase64) } as unknown as Fault
}

function orderFault(emulator: CometChatEmulator, given: unknown): void {
  const order = given as Partial<FaultOrder> & { seed?: number; rate?: number; faults?: FaultName[] }
  if (typeof given === 'object' && typeof order.seed === 'number') {
    emulator.failWithSeed(order.seed, order.rate ?? 1, order.faults)
    return
  }
  const { fault = given, method, path, times } = order
  emulator.failNext(toFault(fault), {
    ...(method !== undefined && { method }),
    ...(path !== undefined && { path: new RegExp(path) }),
    ...(times !== undefined && { times })
  })
}

/** In this order, because each may name what an earlier one has added. */
function changeState(emulator: CometChatEmulator, change: StateChange): JsonObject {
  change.users?.forEach(emulator.addUser)
  change.groups?.forEach(emulator.addGroup)
  const messages = change.messages?.map(emulator.addMessage) ?? []
  change.blocks?.forEach(({ blocker, blocked }) => {
    emulator.block(blocker, blocked)
  })
  change.addKeys?.forEach(({ key, scope }) => {
    emulator.addKey(key, scope)
  })
  change.revokeKeys?.forEach(emulator.revokeKey)
  change.deactivate?.forEach(emulator.deactivate)
  change.deleteMessages?.forEach(id => {
    emulator.deleteMessage(id)
  })
  change.editMessages?.forEach(({ id, data, by }) => {
    emulator.editMessage(id, data, by)
  })
  change.moderate?.forEach(({ id, status }) => {
    emulator.moderate(id, status)
  })
  change.afterRead?.forEach(({ change, ...match }) => {
    emulator.changeAfterRead(change, match)
  })
  applySwitches(emulator.switches, change.switches ?? {})
  return { messages }
}

function answer(emulator: CometChatEmulator, { method, path, body }: AdminRequest): unknown {
  const given = () => JSON.parse(body) as unknown
  switch (`${method} ${path.slice('/_emulator/'.length)}`) {
    case 'GET faults':
      return { pending: emulator.pendingFaults, named: NAMED_FAULTS, kinds: [...FAULT_KINDS].sort() }
    case 'POST faults':
      orderFault(emulator, given())
      return { pending: emulator.pendingFaults }
    case 'GET ledger':
      return emulator.ledger
    case 'GET requests':
      return emulator.requests
    case 'POST state':
      // What is wrong in it is told by the functions that it is passed to.
      return changeState(emulator, given() as StateChange)
    case 'POST reset':
      emulator.clear()
      emulator.stopFailing()
      return { pending: 0 }
    default:
      throw new AdminMistake(`No such thing: ${method} ${path}. The emulator's README lists what there is.`)
  }
}

export function createAdmin(emulator: CometChatEmulator): Admin {
  return (request, res) => {
    res.setHeader('content-type', 'application/json')
    try {
      res.end(JSON.stringify(answer(emulator, request)))
    } catch (error) {
      res.statusCode = 400
      res.end(JSON.stringify({ mistake: error instanceof Error ? error.message : String(error) }))
    }
  }
}
