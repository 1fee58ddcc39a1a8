// What the provider remembers, in memory: sign-ins under way, codes, tokens. It ends with the demo.

interface Payload {
  readonly uid?: string
  readonly grantId?: string
  readonly [name: string]: unknown
}

/** A class with oidc-provider's interface of an adapter. One is made for each kind of thing. */
export function createProviderMemory() {
  const items = new Map<string, Payload & { consumed?: number }>()

  return class ProviderMemory {
    readonly #kind: string

    constructor(kind: string) {
      this.#kind = kind
    }

    async upsert(id: string, payload: Payload): Promise<void> {
      items.set(`${this.#kind} ${id}`, payload)
    }

    async find(id: string): Promise<Payload | undefined> {
      return items.get(`${this.#kind} ${id}`)
    }

    async findByUid(uid: string): Promise<Payload | undefined> {
      return [...items.values()].find(payload => payload.uid === uid)
    }

    async consume(id: string): Promise<void> {
      const payload = items.get(`${this.#kind} ${id}`)
      if (payload) payload.consumed = Math.floor(Date.now() / 1000)
    }

    async destroy(id: string): Promise<void> {
      items.delete(`${this.#kind} ${id}`)
    }

    async revokeByGrantId(grantId: string): Promise<void> {
      for (const [id, payload] of items) if (payload.grantId === grantId) items.delete(id)
    }
  }
}
