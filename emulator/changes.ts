// Changes that a test makes by hand or by script, without a request: they are in no ledger.
import { editedData } from './change-message.ts'
import type { State } from './state.ts'
import type { Switches } from './switches.ts'
import type { Change } from './types.ts'

interface Parts {
  readonly state: State
  readonly switches: Switches
  readonly now: () => number
}

export function createCarryOut({ state, switches, now }: Parts): (change: Change) => void {
  return change => {
    if (change.kind === 'post') {
      state.addMessage({ sentAtMs: now(), ...change.message })
      return
    }
    const message = state.mustHaveMessage(change.id)
    if (change.kind === 'moderate') {
      message.verdict = { status: change.status, atMs: now() }
      return
    }
    const stamp = { atMs: now(), by: change.by ?? message.sender }
    if (change.kind === 'edit') {
      message.data = editedData(message.data, change.data ?? {}, switches.editedData)
      message.edited = stamp
      return
    }
    message.deleted = stamp
    if (change.permanent === true) state.remove(message)
  }
}
