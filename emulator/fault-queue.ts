// Which request meets which fault.
import { type Fault, type FaultName, NAMED_FAULTS, QUICK_FAULTS } from './faults.ts'
import { createRandom } from './random.ts'

export interface FaultMatch {
  readonly method?: string
  readonly path?: RegExp
  /** How many requests meet it; 1 unless given. */
  readonly times?: number
}

interface Pending {
  readonly fault: Fault
  readonly match: FaultMatch
  left: number
}

export type FaultQueue = ReturnType<typeof createFaultQueue>

const isAtConnect = ({ fault }: Pending): boolean => fault.kind.endsWith('-at-connect')

export function createFaultQueue() {
  let pending: Pending[] = []
  let draw: (() => Fault | undefined) | undefined

  const use = (found: Pending | undefined): Fault | undefined => {
    if (found === undefined) return undefined
    found.left -= 1
    if (found.left <= 0) pending = pending.filter(one => one !== found)
    return found.fault
  }

  return {
    add: (fault: Fault, match: FaultMatch = {}) => void pending.push({ fault, match, left: match.times ?? 1 }),
    /** The oldest fault for a new connection; one for requests stays in the queue. */
    takeForConnection: () => use(pending.find(isAtConnect)),
    /** The oldest fault that this request matches, else one drawn from the seed. */
    takeForRequest: (method: string, path: string) =>
      use(
        pending.find(
          one =>
            !isAtConnect(one) &&
            (one.match.method === undefined || one.match.method === method) &&
            (one.match.path === undefined || path.search(one.match.path) >= 0)
        )
      ) ?? draw?.(),
    drawFrom(seed: number, rate: number, names: readonly FaultName[] = QUICK_FAULTS): void {
      const random = createRandom(seed)
      draw = () => {
        // Both numbers are always drawn, so that the n-th request meets the same fault at every rate.
        const [chance, choice] = [random(), random()]
        const name = names[Math.floor(choice * names.length)]
        return chance < rate && name !== undefined ? NAMED_FAULTS[name] : undefined
      }
    },
    stopDrawing: () => {
      draw = undefined
    },
    forgetPending: () => {
      pending = []
    },
    get size(): number {
      return pending.reduce((sum, { left }) => sum + left, 0)
    }
  }
}
