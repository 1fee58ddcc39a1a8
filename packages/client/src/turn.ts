import { type Core, isMine } from './core.ts'
import { environment } from './environment.ts'

const LEASE_MS = 10_000
const RENEW_MS = 3000

interface Turn {
  /** Of the lock, or of the lease. */
  readonly name: string
  leave(): void
}

/**
 * One tab sends for an account, and the others watch. Two that send would only ask too much: a key is posted once.
 * Gives the function that waits for the turn of an account, and leaves that of any other; `prepare` reads what the tab
 * before this one left.
 */
export function createTurn(core: Core, prepare: () => Promise<void>): (owner: string | undefined) => void {
  const { storage, now } = core
  const id = `${core.random()}`
  let wanted: Turn | undefined

  async function begin(turn: Turn, until: number): Promise<void> {
    const isNew = !isMine(core)
    if (isNew) await prepare().catch(() => undefined)
    if (turn !== wanted) return
    core.mineUntil = until
    if (isNew) core.changed()
  }

  async function renewLease(turn: Turn): Promise<void> {
    const { name } = turn
    const [holder, until] = `${await storage.getItem(name)}`.split(' ')
    if (holder !== id && Number(until) > now()) return
    await storage.setItem(name, `${id} ${now() + LEASE_MS}`)
    // Of two that wrote at the same time the later one has it.
    await new Promise(resolve => setTimeout(resolve, 100))
    if (`${await storage.getItem(name)}`.startsWith(id)) await begin(turn, now() + LEASE_MS - RENEW_MS)
  }

  function want(owner: string | undefined): void {
    const name = owner && `${core.name}turn ${owner}`
    if (name === wanted?.name) return
    wanted?.leave()
    core.mineUntil = 0
    wanted = undefined
    if (name) wait(name)
  }

  function wait(name: string): void {
    const turn: Turn = { name, leave() {} }
    wanted = turn
    const hold = (): void => void begin(turn, Number.POSITIVE_INFINITY)
    const locks = environment.navigator?.locks
    if (locks) {
      // The browser gives it to the next tab when this one ends, however it ends.
      const left = new Promise<void>(resolve => {
        turn.leave = resolve
      })
      locks
        .request(name, () => {
          hold()
          return left
        })
        .catch(hold)
    } else if (environment.document) {
      const renew = (): void => void renewLease(turn).catch(() => undefined)
      const timer = setInterval(renew, RENEW_MS)
      turn.leave = () => clearInterval(timer)
      renew()
    }
    // Nothing but a browser has several of these over one storage.
    else hold()
  }

  core.ends.push(() => want(undefined))
  return want
}
