// Globals that may be missing: React Native has few of them, Node some, an old browser most.

interface Environment {
  addEventListener?(name: string, listener: () => void): void
  removeEventListener?(name: string, listener: () => void): void
  readonly document?: { readonly hidden: boolean }
  readonly navigator?: { readonly onLine?: boolean; readonly locks?: Locks }
  readonly indexedDB?: Databases
  readonly BroadcastChannel?: new (name: string) => Channel
}

export interface Locks {
  request(name: string, held: () => Promise<void>): Promise<void>
}

export interface Channel {
  onmessage: ((event: { readonly data: string }) => void) | null
  postMessage(data: string): void
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

/** IDBObjectStore: `get(name)`, `put(value, name)`, `delete(name)`, `getAllKeys()`. */
export type ObjectStore = Record<'get' | 'put' | 'delete' | 'getAllKeys', (...given: string[]) => Asked<unknown>>

/** Read at each use: an app may add what its engine lacks after it has imported this. */
export const environment = globalThis as unknown as Environment

/** A browser says so; where nothing is said, there is a network. */
export const isOffline = (): boolean => environment.navigator?.onLine === false

const EVENTS = ['online', 'offline', 'visibilitychange']

export const isHidden = (): boolean => !!environment.document?.hidden

/** Calls back when the network comes or goes, or somebody looks at the page again; gives a function that ends it. */
export function onReturn(listener: () => void): () => void {
  const onEvent = (): void => {
    if (!isHidden()) listener()
  }
  for (const name of EVENTS) environment.addEventListener?.(name, onEvent)
  return () => {
    for (const name of EVENTS) environment.removeEventListener?.(name, onEvent)
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
