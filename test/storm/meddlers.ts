// Other people in the threads of a storm: they write, delete, remove and edit, also between two pages of a search.
import type { CometChatEmulator } from '../../emulator/handles.ts'
import type { Switches } from '../../emulator/switches.ts'
import type { StoredMessage } from '../../emulator/types.ts'

export interface StormThread {
  readonly user: string
  readonly parent: string
}

interface MeddledThread extends StormThread {
  /** What is left of what others wrote. */
  readonly others: StoredMessage[]
  readonly isModerated: boolean
}

/** How CometChat pages a thread; nobody knows, so a storm takes any of them. */
export const PAGINGS: Readonly<Record<string, Partial<Switches>>> = {
  either: {},
  page: { threadPaging: 'page' },
  cursor: { threadPaging: 'cursor' },
  inclusive: { threadPaging: 'cursor', threadCursor: 'inclusive' },
  short: { threadPageMax: 20 },
  'short-page': { threadPaging: 'page', threadPageMax: 20 },
  'newest-first': { threadOrder: 'newest-first' },
  'newest-first-page': { threadOrder: 'newest-first', threadPaging: 'page' },
  'next-always': { threadPaging: 'page', threadNext: 'always' },
  'next-never': { threadNext: 'never' },
  ignored: { threadPaging: 'ignored' }
}

/** A page and a bit, so that a thread is longer than what is asked for at once. */
const OLD_MESSAGES = 70
/**
 * In so many threads replies are removed and edited, too; what was lost there before stays unknown. None may be where records
 * can get lost: a reply that has neither its record nor its place in the thread is taken for one that was never sent.
 */
export const MODERATED = 0.2
const HOUR_MS = 3_600_000

export interface MeddlersOptions {
  readonly emulator: CometChatEmulator
  readonly random: () => number
  readonly threads: readonly StormThread[]
  readonly moderated?: number
  /** Called before a reply is changed that somebody may not have read yet. */
  readonly beforeEdit: () => void
}

export class Meddlers {
  readonly #emulator: CometChatEmulator
  readonly #random: () => number
  readonly #threads: readonly MeddledThread[]
  readonly #beforeEdit: () => void
  changes = 0

  constructor({ emulator, random, threads, moderated = MODERATED, beforeEdit }: MeddlersOptions) {
    this.#emulator = emulator
    this.#random = random
    this.#beforeEdit = beforeEdit
    this.#threads = threads.map((thread, index) => {
      const others = Array.from({ length: OLD_MESSAGES }, (_, age) => this.#write(thread, HOUR_MS - age * 1000))
      return { ...thread, others, isModerated: index < threads.length * moderated }
    })
  }

  /** Whether replies are removed in a thread: one that is lost there may stay unknown for good. */
  isModerated(parent: string): boolean {
    return this.#threads.some(thread => thread.parent === parent && thread.isModerated)
  }

  /** Changes one thread: at once, or between two pages of the next search there. */
  meddle(): void {
    const thread = this.#pick(this.#threads)
    if (!thread) return
    const change = (): void => {
      this.changes++
      this.#change(thread)
    }
    const read = Math.floor(this.#random() * 4)
    if (read === 0) change()
    else this.#emulator.changeAfterRead(change, { parentId: thread.parent, read })
  }

  #change({ others, isModerated, ...thread }: MeddledThread): void {
    const dice = this.#random()
    if (isModerated && dice < 0.3) this.#moderate(thread)
    else if (dice < 0.6) {
      const [message] = others.splice(Math.floor(this.#random() * others.length), 1)
      if (message) this.#emulator.deleteMessage(message.id, { permanent: true })
    } else others.push(this.#write(thread, 0))
  }

  /** Takes away or changes a reply that was posted, as its author or the app may. */
  #moderate({ parent }: StormThread): void {
    const posts = this.#emulator.ledger.filter(({ parentId, message }) => parentId === parent && !message.deleted)
    const { id } = this.#pick(posts) ?? {}
    if (id === undefined) return
    this.#beforeEdit()
    const by = this.#random() < 0.5 ? { by: 'app_system' } : {}
    if (this.#random() < 0.5) this.#emulator.deleteMessage(id, by)
    else this.#emulator.editMessage(id, { text: 'edited' })
  }

  #write({ user, parent }: StormThread, agoMs: number): StoredMessage {
    const text = `of the host, ${agoMs}`
    const message = { sender: 'host', receiver: user, receiverType: 'user', parentId: parent, text } as const
    return this.#emulator.addMessage({ ...message, sentAtMs: Date.now() - agoMs })
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)]
  }
}
