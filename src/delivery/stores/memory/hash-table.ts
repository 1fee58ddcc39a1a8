/** What stands in such a table, in one at a time. */
export interface Entry<T> {
  readonly key: string
  next: T | undefined
}

/** Each grows by itself, so that no request waits for a million records to be laid out anew. */
const SHARD_BITS = 8
const FEWEST_BUCKETS = 8
/** Of a name that is random anyway; the rest would tell nothing more. */
const HASHED_LENGTH = 12
const FNV_OFFSET_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193

/**
 * Records by key, for many that come and go. A Map lays itself out anew every few hundred of them, and V8 leads from
 * each old layout to the next: the first one that has grown old keeps all later ones and what stood in them from being
 * collected while they are young. That was half of what the service had collected as old.
 */
export class HashTable<T extends Entry<T>> {
  readonly #shards = Array.from({ length: 2 ** SHARD_BITS }, () => new Shard<T>())
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: string): T | undefined {
    const hash = hashOf(key)
    let entry = this.#shardOf(hash).firstOf(hash)
    while (entry && entry.key !== key) entry = entry.next
    return entry
  }

  /** Adds a record whose key is not in the table. */
  add(entry: T): void {
    const hash = hashOf(entry.key)
    this.#shardOf(hash).add(entry, hash)
    this.#size++
  }

  delete(entry: T): void {
    const hash = hashOf(entry.key)
    if (this.#shardOf(hash).delete(entry, hash)) this.#size--
  }

  clear(): void {
    for (const shard of this.#shards) shard.clear()
    this.#size = 0
  }

  /** All of them, in no order; they may be deleted meanwhile. */
  values(): T[] {
    return this.#shards.flatMap(shard => shard.values())
  }

  #shardOf(hash: number): Shard<T> {
    return this.#shards[hash >>> (32 - SHARD_BITS)] as Shard<T>
  }
}

/** A part of the table: lists of entries, about as many as there are entries. */
class Shard<T extends Entry<T>> {
  #buckets = emptyBuckets<T>(FEWEST_BUCKETS)
  #size = 0

  firstOf(hash: number): T | undefined {
    return this.#buckets[this.#bucketOf(hash)]
  }

  add(entry: T, hash: number): void {
    if (this.#size === this.#buckets.length) this.#grow()
    this.#insert(entry, hash)
    this.#size++
  }

  delete(entry: T, hash: number): boolean {
    const bucket = this.#bucketOf(hash)
    let before: T | undefined
    for (let one = this.#buckets[bucket]; one !== entry; one = one.next) {
      if (!one) return false
      before = one
    }
    if (before) before.next = entry.next
    else this.#buckets[bucket] = entry.next
    entry.next = undefined
    this.#size--
    return true
  }

  clear(): void {
    this.#buckets = emptyBuckets(FEWEST_BUCKETS)
    this.#size = 0
  }

  values(): T[] {
    const all: T[] = []
    for (const first of this.#buckets) for (let one = first; one; one = one.next) all.push(one)
    return all
  }

  #grow(): void {
    const all = this.values()
    this.#buckets = emptyBuckets(this.#buckets.length * 2)
    for (const entry of all) this.#insert(entry, hashOf(entry.key))
  }

  #insert(entry: T, hash: number): void {
    const bucket = this.#bucketOf(hash)
    entry.next = this.#buckets[bucket]
    this.#buckets[bucket] = entry
  }

  #bucketOf(hash: number): number {
    // The number of buckets is a power of two.
    return hash & (this.#buckets.length - 1)
  }
}

/** FNV-1a, and a step of MurmurHash3's finalizer: the highest bits name a shard and the lowest ones a bucket. */
function hashOf(key: string): number {
  const length = Math.min(key.length, HASHED_LENGTH)
  let hash = FNV_OFFSET_BASIS
  for (let index = 0; index < length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), FNV_PRIME)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}

function emptyBuckets<T>(count: number): (T | undefined)[] {
  return new Array<T | undefined>(count).fill(undefined)
}
