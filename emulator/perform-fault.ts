// Makes a fault happen on a real socket. Each kind is a few lines; what they share is in `exchange.ts`.
import { type Exchange, end, waited } from './exchange.ts'
import { performContentFault } from './fault-contents.ts'
import { performRefusal } from './fault-refusals.ts'
import { performTransportFault } from './fault-transports.ts'
import { commits, type Fault } from './faults.ts'

/** These act before the body is read, so that nothing of it can have been understood. */
export const actsBeforeReading = (fault: Fault): boolean => fault.kind.endsWith('-before-reading')

const performAnswer = (fault: Fault, exchange: Exchange): Promise<void> | undefined =>
  performTransportFault(fault, exchange) ?? performContentFault(fault, exchange) ?? performRefusal(fault, exchange)

async function performLateCommit(fault: Fault & { kind: 'late-commit' }, exchange: Exchange): Promise<void> {
  const { afterMs, ending = 'reset' } = fault
  exchange.commitLater(exchange.answer(), afterMs)
  if (ending !== 'stall') await end(exchange, ending)
}

export async function performFault(fault: Fault, exchange: Exchange): Promise<void> {
  // A delay posts first and waits then, as a slow answer does; the others are late as a whole.
  if (fault.kind !== 'delay' && !(await waited(exchange, fault.delayMs ?? 0))) return
  if (commits(fault)) exchange.commit(exchange.answer())
  switch (fault.kind) {
    case 'close-before-reading':
    case 'close':
      return end(exchange, 'close')
    case 'reset-before-reading':
    case 'reset':
      return end(exchange, 'reset')
    case 'late-commit':
      return performLateCommit(fault, exchange)
    case 'stall':
      return
    default:
      return performAnswer(fault, exchange)
  }
}
