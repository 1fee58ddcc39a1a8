import { createRandomIds } from '../lib/random-id.ts'
import type { DeliveredReply, ReplyOrder } from './command.ts'
import { Unsettled } from './local-attempts.ts'
import { type DeliveryOptions, Sending } from './sending.ts'

export interface Delivery {
  /** Resolves with a reply that exists; else throws an AppError that says what is known. */
  deliver(order: ReplyOrder): Promise<DeliveredReply>
  /** Resolves when no reply is under way any more. */
  idle(): Promise<void>
}

/** Sends each reply at most once for each key, and remembers what became of it. */
export function createDelivery(options: Omit<DeliveryOptions, 'newOwner'>): Delivery {
  const parts = { ...options, newOwner: createRandomIds() }
  const unsettled = new Unsettled()
  let underWay = 0
  let whenIdle: (() => void)[] = []

  return {
    async deliver(order) {
      const sending = new Sending(parts, order, unsettled)
      underWay++
      try {
        return await sending.begin()
      } finally {
        sending.end()
        underWay--
        if (underWay === 0) {
          for (const tell of whenIdle) tell()
          whenIdle = []
        }
      }
    },
    async idle() {
      if (underWay > 0) await new Promise<void>(resolve => whenIdle.push(resolve))
    }
  }
}
