import { type Database, environment, type ObjectStore } from './environment.ts'
import type { ReplyStorage } from './types.ts'

const STORE = 'replies'

/** IndexedDB, and memory where it cannot be opened (some private windows) or is missing. */
export function defaultStorage(): ReplyStorage {
  const items = new Map<string, string>()
  const memory: Record<keyof ObjectStore, (...given: string[]) => unknown> = {
    get: (name: string) => items.get(name),
    put: (value: string, name: string) => items.set(name, value),
    delete: (name: string) => items.delete(name),
    getAllKeys: () => [...items.keys()]
  }
  let opening: Promise<Database | undefined> | undefined

  async function use<Result>(verb: keyof ObjectStore, ...given: string[]): Promise<Result> {
    opening ??= openDatabase(() => {
      opening = undefined
    }).catch(() => undefined)
    const database = await opening
    if (!database) return memory[verb](...given) as Result
    return new Promise((resolve, reject) => {
      // On the disk, not on its way there: a reply is stored before its first byte leaves.
      const transaction = database.transaction(STORE, 'readwrite', { durability: 'strict' })
      const asked = transaction.objectStore(STORE)[verb](...given)
      transaction.oncomplete = () => resolve(asked.result as Result)
      transaction.onabort = reject
    })
  }

  return {
    getItem: name => use('get', name),
    setItem: (name, value) => use('put', value, name),
    removeItem: name => use('delete', name),
    getAllKeys: () => use('getAllKeys')
  }
}

/** `onLost` is called when the browser takes the connection away: the next use opens it again. */
function openDatabase(onLost: () => void): Promise<Database> {
  return new Promise((resolve, reject) => {
    const asked = environment.indexedDB?.open('thread-reply-client', 1)
    if (!asked) return reject()
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE)
    asked.onerror = reject
    asked.onsuccess = () => {
      const database = asked.result
      database.onclose = database.onversionchange = () => {
        database.close()
        onLost()
      }
      resolve(database)
    }
  })
}
