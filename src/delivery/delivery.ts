import type { DeliveredReply, ReplyOrder } from './reply-order.ts'
import { type DeliveryOptions, Sending } from './sending.ts'
import { Unsettled } from './unsettled.ts'

export interface Delivery {
  /** Resolves with a reply that exists; else throws an AppError that says what is known. */
  deliver(order: ReplyOrder): Promise<DeliveredReply>
  /** Resolves when no reply is under way any more. */
  idle(): Promise<void>
}

/** Sends each reply at most once for each key, and remembers what became of it. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const underWay = new Set<Promise<unknown>>()
  const unsettled = new Unsettled()
  return {
    deliver(order) {
      const delivered = new Sending(options, order, unsettled).run()
      underWay.add(delivered)
      return delivered.finally(() => underWay.delete(delivered))
    },
    async idle() {
      await Promise.allSettled(underWay)
    }
  }
}
