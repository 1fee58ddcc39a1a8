import { type Asked, type Database, environment, type ObjectStore } from './environment.ts'
import type { ReplyStorage } from './types.ts'

const STORE = 'replies'

/** IndexedDB, and memory where it cannot be opened (some private windows) or is missing. */
export function defaultStorage(): ReplyStorage {
  const memory = memoryStorage()
  let opening: Promise<Database | undefined> | undefined

  async function use<Result>(mode: 'readonly' | 'readwrite', ask: (store: ObjectStore) => Asked<unknown>) {
    opening ??= openDatabase(() => {
      opening = undefined
    }).catch(() => undefined)
    const database = await opening
    if (!database) return undefined
    return new Promise<{ readonly result: Result }>((resolve, reject) => {
      // On the disk, not on its way there: a reply is stored before its first byte leaves.
      const transaction = database.transaction(STORE, mode, { durability: 'strict' })
      const asked = ask(transaction.objectStore(STORE))
      transaction.oncomplete = () => resolve({ result: asked.result as Result })
      transaction.onabort = () => reject(new Error('IndexedDB'))
    })
  }

  return {
    async getItem(name) {
      const found = await use<string | undefined>('readonly', store => store.get(name))
      return found ? (found.result ?? null) : memory.getItem(name)
    },
    async setItem(name, value) {
      if (!(await use('readwrite', store => store.put(value, name)))) memory.setItem(name, value)
    },
    async removeItem(name) {
      if (!(await use('readwrite', store => store.delete(name)))) memory.removeItem(name)
    },
    async getAllKeys() {
      const found = await use<readonly string[]>('readonly', store => store.getAllKeys())
      return found ? found.result : memory.getAllKeys()
    }
  }
}

export function memoryStorage(): ReplyStorage {
  const items = new Map<string, string>()
  return {
    getItem: name => items.get(name) ?? null,
    setItem: (name, value) => items.set(name, value),
    removeItem: name => items.delete(name),
    getAllKeys: () => [...items.keys()]
  }
}

/** `onLost` is called when the browser takes the connection away: the next use opens it again. */
function openDatabase(onLost: () => void): Promise<Database> {
  return new Promise((resolve, reject) => {
    const asked = environment.indexedDB?.open('thread-reply-client', 1)
    if (!asked) return reject()
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE)
    asked.onerror = () => reject()
    asked.onsuccess = () => {
      const database = asked.result
      database.onclose = onLost
      database.onversionchange = () => {
        database.close()
        onLost()
      }
      resolve(database)
    }
  })
}
