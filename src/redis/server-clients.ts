import type { Reachability } from '../lib/service/servers/reachability.ts'
import type { RedisHost } from '../lib/service/store-address.ts'
import type { StoreError } from '../lib/service/store-error.ts'
import { redisConnection } from './address.ts'
import { RedisClient } from './client.ts'
import type { RedisServersOptions } from './servers.ts'
import { type ServerMap, tagWhere } from './slots.ts'

export interface ServerClientsOptions extends RedisServersOptions {
  /** What the operator is told. */
  readonly reachability: Reachability
  /** Told when one of them may have become usable, or not. */
  readonly onState: () => void
}

/** A client for each server of a map. */
export class ServerClients {
  readonly #options: ServerClientsOptions
  readonly #clients = new Map<string, RedisClient>()
  /** Of which it is not clear yet whether they are there. */
  readonly #undecided = new Set<RedisClient>()

  constructor(options: ServerClientsOptions) {
    this.#options = options
  }

  get(name: string): RedisClient | undefined {
    return this.#clients.get(name)
  }

  get all(): readonly RedisClient[] {
    return [...this.#clients.values()]
  }

  get areDecided(): boolean {
    return this.all.every(client => !this.#undecided.has(client))
  }

  /** Connects to servers that are new, leaves those that are gone, and greets those that may have got something. */
  follow(map: ServerMap, hasMoved: boolean): void {
    for (const [name, client] of this.#clients) {
      if (map.servers.has(name)) continue
      this.#clients.delete(name)
      client.close()
    }
    for (const [name, host] of map.servers) {
      const client = this.#clients.get(name)
      if (!client) this.#connect(name, host, map)
      else if (hasMoved && client.isUsable) client.handshakeSoon()
    }
  }

  close(): void {
    for (const client of this.#clients.values()) client.close()
  }

  #connect(name: string, host: RedisHost, map: ServerMap): void {
    const { address, commandTimeoutMs, handshake, reachability, onState, ...options } = this.#options
    const tag = tagWhere(slot => map.ownerOf(slot) === name)
    const client: RedisClient = new RedisClient({
      variable: options.variable,
      ...(options.heartbeatMs !== undefined && { heartbeatMs: options.heartbeatMs }),
      ...(options.refusalOf && { refusalOf: options.refusalOf }),
      connection: redisConnection(address, commandTimeoutMs, host),
      handshake: (_redis, isSame) => handshake(client, isSame, key => `${key}{${tag}}`),
      onTrouble: sentence => reachability.tellTrouble(sentence),
      onState
    })
    this.#clients.set(name, client)
    this.#undecided.add(client)
    void this.#open(name, client)
  }

  async #open(name: string, client: RedisClient): Promise<void> {
    try {
      await client.open()
    } catch (error) {
      // It is closed; the next look makes another.
      if (this.#clients.get(name) === client) {
        this.#clients.delete(name)
        this.#options.reachability.refuse(error as StoreError)
      }
    }
    this.#undecided.delete(client)
    this.#options.onState()
  }
}
