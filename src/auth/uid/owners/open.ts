import type { StoreAddress } from '../../../lib/service/store-address.ts'
import type { SharedPostgres } from '../../../postgres/shared.ts'
import { createMemoryUidOwners } from './memory.ts'
import { type RememberedOwners, rememberOwners } from './remembered.ts'
import type { UidOwners } from './uid-owners.ts'

/**
 * The owners live where the delivery records live, in Postgres on their connections; beside a file, not in it, so that
 * neither blocks the other.
 * Throws a StoreError, for the operator, where they cannot.
 */
export async function openUidOwners(address: StoreAddress, postgres?: SharedPostgres): Promise<UidOwners> {
  if (address.kind === 'postgres') return openInPostgres(postgres)
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

async function openInPostgres(postgres: SharedPostgres | undefined): Promise<UidOwners> {
  if (!postgres) throw new Error('owners in Postgres are beside its records')
  const { createPostgresUidOwners } = await import('./postgres.ts')
  const owners = rememberOwners(createPostgresUidOwners(postgres))
  postgres.onLoss(() => owners.forget())
  return owners
}
