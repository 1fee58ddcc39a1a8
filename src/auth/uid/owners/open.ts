import type { StoreAddress } from '../../../lib/service/store-address.ts'
import { createMemoryUidOwners } from './memory.ts'
import { type RememberedOwners, rememberOwners } from './remembered.ts'
import type { UidOwners } from './uid-owners.ts'

/**
 * The owners live where the delivery records live; beside a file, not in it, so that neither blocks the other.
 * Throws a StoreError, for the operator, where they cannot.
 */
export async function openUidOwners(address: StoreAddress): Promise<UidOwners> {
  if (address.kind === 'redis') {
    const { createRedisUidOwners } = await import('./redis.ts')
    let owners: RememberedOwners | undefined
    owners = rememberOwners(await createRedisUidOwners(address, () => owners?.forget()))
    return owners
  }
  if (address.kind === 'file') {
    const { createFileUidOwners } = await import('./sqlite.ts')
    return rememberOwners(createFileUidOwners(`${address.path}.uids`))
  }
  return createMemoryUidOwners()
}
