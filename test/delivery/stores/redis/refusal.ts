import { createRedisStore } from '../../../../src/delivery/stores/redis/store.ts'
import { redisAddress } from '../../../lib/addresses.ts'

/** The one sentence an operator gets instead of a store. */
export async function refusalOf(storeUrl: string): Promise<string> {
  try {
    const store = await createRedisStore({
      address: redisAddress(storeUrl),
      monotonic: () => performance.now(),
      emit: () => undefined
    })
    await store.close()
    return 'not refused'
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }
}
