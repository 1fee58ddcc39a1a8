// What people pressed, what CometChat holds, and what they were told: the three must agree.
import type { PostedMessage } from '../../emulator/types.ts'

/** How a reply goes: through the service, or straight to CometChat by a backend that knows nothing of delivery. */
export type Way = 'service' | 'straight'

/** What the phone shows of a reply. */
export type Told = 'under-way' | 'sent' | 'failed'

interface Pressed {
  readonly way: Way
  told: Told
}

export interface Balance {
  readonly pressed: number
  /** Messages in CometChat that came of it. */
  readonly holds: number
  /** Messages too many. */
  readonly doubled: number
  /** Shown as sent, and not in CometChat. */
  readonly lost: number
  /** Shown as failed, and in CometChat all the same: whoever sends it again doubles it. */
  readonly mistold: number
  /** Shown as failed, rightly. */
  readonly refused: number
  readonly underWay: number
}

function verdictOf(told: Told, isHeld: boolean): 'lost' | 'mistold' | 'refused' | 'underWay' | undefined {
  if (told === 'under-way') return 'underWay'
  if (told === 'failed') return isHeld ? 'mistold' : 'refused'
  return isHeld ? undefined : 'lost'
}

export type Ledger = ReturnType<typeof createLedger>

export function createLedger(posted: () => readonly PostedMessage[]) {
  const pressed = new Map<string, Pressed>()

  const balanceOf = (way: Way): Balance => {
    const copies = Map.groupBy(posted(), ({ message }) => message.muid)
    const balance = { pressed: 0, holds: 0, doubled: 0, lost: 0, mistold: 0, refused: 0, underWay: 0 }
    for (const [id, { told }] of [...pressed].filter(([, one]) => one.way === way)) {
      const held = copies.get(id)?.length ?? 0
      balance.pressed += 1
      balance.holds += held
      balance.doubled += Math.max(0, held - 1)
      const name = verdictOf(told, held > 0)
      if (name) balance[name] += 1
    }
    return balance
  }

  return {
    /** Somebody pressed Send; `id` is the `muid` that their app gives the message, as CometChat's SDKs do. */
    press: (id: string, way: Way) => void pressed.set(id, { way, told: 'under-way' }),
    /** What their phone says of it now. */
    tell(id: string, told: Told): void {
      const one = pressed.get(id)
      if (one) one.told = told
    },
    balances: () => ({ service: balanceOf('service'), straight: balanceOf('straight') })
  }
}
