// What was posted against what was told. The emulator's ledger is the only witness.
import type { CometChatEmulator } from '../../emulator/handles.ts'
import type { SentReply } from './send-once.ts'

export interface Score {
  readonly replies: number
  readonly posts: number
  /** Told as sent at last. */
  readonly sent: number
  /** Told as refused for good. */
  readonly refused: number
  /** Of which the client never learned. */
  readonly unknown: number
  readonly doubled: number
  /** Told as sent, and never posted. */
  readonly lost: number
}

export class Judge {
  readonly #emulator: CometChatEmulator
  readonly #idsByText = new Map<string, string[]>()
  readonly #answers = new Map<string, SentReply>()
  readonly #lies = new Map<string, string>()
  #read = 0

  constructor(emulator: CometChatEmulator) {
    this.#emulator = emulator
  }

  begins(text: string): void {
    if (!this.#answers.has(text)) this.#answers.set(text, { delivery: 'unknown', retryable: true })
  }

  exists(text: string): boolean {
    return this.#posts(text).length > 0
  }

  /**
   * Takes note of every answer; `sent` is never taken back. `existed` is whether the reply did when the request was
   * sent: of one that another tab posts in the meantime, "not sent" was true when it was said.
   */
  hears(text: string, answer: SentReply, existed: boolean): void {
    const known = this.#answers.get(text)
    const isOther = known?.messageId !== undefined && answer.messageId !== undefined
    if (isOther && known.messageId !== answer.messageId) this.#lies.set(text, `first ${known.messageId}, then another`)
    if (existed && answer.delivery === 'not-sent') this.#lies.set(text, `${answer.code} said not-sent`)
    if (known?.delivery !== 'sent') this.#answers.set(text, answer)
  }

  score(): Score {
    const answers = [...this.#answers]
    const count = (fits: (answer: SentReply, posts: readonly string[], text: string) => boolean): number =>
      answers.filter(([text, answer]) => fits(answer, this.#posts(text), text)).length
    return {
      replies: answers.length,
      posts: this.#emulator.ledger.length,
      sent: count(({ delivery }) => delivery === 'sent'),
      refused: count(({ delivery, retryable }) => delivery === 'not-sent' && !retryable),
      unknown: count(({ delivery, retryable }) => delivery === 'unknown' || (delivery === 'not-sent' && retryable)),
      doubled: count((_, posts) => posts.length > 1),
      lost: count(({ delivery }, posts) => delivery === 'sent' && posts.length === 0)
    }
  }

  /** What was told wrongly, in words. */
  lies(): readonly string[] {
    const atTheEnd = [...this.#answers].flatMap(([text, { delivery, messageId = '' }]) => {
      const posts = this.#posts(text)
      if (delivery === 'not-sent' && posts.length > 0) return [`${text}: not-sent at last, and it exists`]
      if (delivery === 'sent' && posts.length === 0) return [`${text}: told as ${messageId}, and never posted`]
      const isOther = delivery === 'sent' && posts.length > 0 && !posts.includes(messageId)
      return isOther ? [`${text}: told as ${messageId}, and it is ${posts}`] : []
    })
    return [...[...this.#lies].map(([text, lie]) => `${text}: ${lie}`), ...atTheEnd]
  }

  /** Reads what was posted since. An edit changes the entry in the ledger, too, so it must not come before this. */
  notePosts(): void {
    const { ledger } = this.#emulator
    for (; this.#read < ledger.length; this.#read++) {
      const { id, message } = ledger[this.#read] ?? {}
      const key = String(message?.data['text'])
      this.#idsByText.set(key, [...(this.#idsByText.get(key) ?? []), String(id)])
    }
  }

  #posts(text: string): readonly string[] {
    this.notePosts()
    return this.#idsByText.get(text) ?? []
  }
}
