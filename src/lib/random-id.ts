import { randomBytes } from 'node:crypto'

const ID_BYTES = 16
const DRAWN_AT_ONCE = 256

/** Makes ids of 128 random bits. The bits are drawn for many at once: drawing costs more than all the rest. */
export function createRandomIds(encoding: 'hex' | 'base64url' = 'hex'): () => string {
  let pool = Buffer.alloc(0)
  let used = 0
  return () => {
    if (used === pool.length) {
      pool = randomBytes(ID_BYTES * DRAWN_AT_ONCE)
      used = 0
    }
    used += ID_BYTES
    return pool.toString(encoding, used - ID_BYTES, used)
  }
}
