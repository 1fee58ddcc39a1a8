// Globals that may be missing: React Native has few of them, Node some, an old browser most.

interface Listens {
  addEventListener?(name: string, listener: () => void): void
  removeEventListener?(name: string, listener: () => void): void
}

export interface Locks {
  request(name: string, options: { readonly signal: AbortSignal }, held: () => Promise<void>): Promise<void>
}

interface Environment extends Listens {
  readonly document?: Listens & { readonly hidden: boolean }
  readonly navigator?: { readonly onLine?: boolean; readonly locks?: Locks }
  readonly indexedDB?: Databases
  readonly BroadcastChannel?: new (name: string) => Channel
  readonly crypto?: { getRandomValues?(into: Uint32Array): Uint32Array }
}

export interface Channel {
  onmessage: ((event: { readonly data: unknown }) => void) | null
  postMessage(data: unknown): void
  close(): void
  /** Node's: it would keep the process alive. */
  unref?(): void
}

export interface Databases {
  open(name: string, version: number): Asked<Database> & { onupgradeneeded: (() => void) | null }
}

/** IDBRequest. */
export interface Asked<Result> {
  readonly result: Result
  onsuccess: (() => void) | null
  onerror: (() => void) | null
}

/** IDBDatabase. */
export interface Database {
  createObjectStore(name: string): unknown
  close(): void
  onclose: (() => void) | null
  onversionchange: (() => void) | null
  transaction(
    store: string,
    mode: 'readonly' | 'readwrite',
    options: { readonly durability: 'strict' }
  ): {
    objectStore(name: string): ObjectStore
    oncomplete: (() => void) | null
    onabort: (() => void) | null
  }
}

/** IDBObjectStore. */
export interface ObjectStore {
  get(name: string): Asked<unknown>
  put(value: string, name: string): Asked<unknown>
  delete(name: string): Asked<unknown>
  getAllKeys(): Asked<unknown>
}

/** Read at each use: an app may add what its engine lacks after it has imported this. */
export const environment = globalThis as unknown as Environment

/** A browser says so; where nothing is said, there is a network. */
export const isOffline = (): boolean => environment.navigator?.onLine === false

export function randomOf(): number {
  const { crypto } = environment
  return crypto?.getRandomValues ? (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32 : Math.random()
}

/** Calls back when there is a network again, or somebody looks at the page again; gives a function that ends it. */
export function onReturn(listener: () => void): () => void {
  const { document } = environment
  const onVisible = (): void => {
    if (!document?.hidden) listener()
  }
  environment.addEventListener?.('online', listener)
  environment.addEventListener?.('offline', listener)
  document?.addEventListener?.('visibilitychange', onVisible)
  return () => {
    environment.removeEventListener?.('online', listener)
    environment.removeEventListener?.('offline', listener)
    document?.removeEventListener?.('visibilitychange', onVisible)
  }
}

/** What an app does with news is its own: an error of it goes to the engine, and not into the sending of replies. */
export function inform<News>(listener: (news: News) => void, news: News): void {
  try {
    listener(news)
  } catch (error) {
    setTimeout(() => {
      throw error
    })
  }
}
