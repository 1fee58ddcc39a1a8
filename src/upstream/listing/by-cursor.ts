import type { ThreadCursor } from '../thread/page.ts'
import { compare, type ListedMessage, type ListedPage, type Listing, type ListingPlace, oldestFirst } from './page.ts'
import type { ListingReader } from './reader.ts'

type Messages = Extract<ListedPage, { readonly kind: 'messages' }>
/** A message, or what CometChat says of one that it does not show. */
type Edge = Pick<ThreadCursor, 'id' | 'sentAt'>

/** Each further page after one that is too large has so much fewer messages. */
const SHRINK = 4
/** A page of fewer could be one of messages that are not shown, which looks like the end. */
export const LEAST_SIZE = 30

/** Lists a thread whose CometChat goes by cursors. */
export class CursorListing {
  readonly #reader: ListingReader
  readonly #limit: number
  readonly #start: ListingPlace
  readonly #isOlder: boolean
  #messages: readonly ListedMessage[] = []
  #largest = Number.POSITIVE_INFINITY
  #at: Edge
  #hasEnded = false

  constructor(reader: ListingReader, limit: number, start: ListingPlace) {
    this.#reader = reader
    this.#limit = limit
    this.#start = start
    this.#isOlder = start.direction === 'older'
    this.#at = edgeOf(start)
  }

  /** Undefined where CometChat is seen not to go by cursors, or its pages cannot be read. */
  async list(): Promise<Listing | undefined> {
    while (this.#reader.left > 0 && !this.#hasEnded) {
      const asked = Math.min(this.#largest, Math.max(LEAST_SIZE, this.#limit - this.#messages.length + 1))
      const page = await this.#reader.read({ page: 1, size: asked, cursor: this.#cursor })
      if (page.kind === 'refused' || (page.kind === 'too-large' && asked === 1)) return undefined
      if (page.kind === 'too-large') this.#largest = Math.ceil(asked / SHRINK)
      else if (page.messages.some(message => this.#isBehind(message))) return undefined
      else if (this.#isEnoughWith(page, asked)) break
    }
    return this.result()
  }

  /** With a page that is not full there may be more; but it has something to show. */
  #isEnoughWith(page: Messages, asked: number): boolean {
    this.take(page)
    const isFull = page.messages.length >= Math.min(asked, page.size)
    const count = this.#messages.length
    return count >= this.#limit || (count > 0 && !isFull)
  }

  /** Adds what a page shows beyond what there is. */
  take(page: Messages): void {
    const fresh = oldestFirst(page.messages).filter(message => this.#isBeyond(message))
    this.#messages = this.#isOlder ? [...fresh, ...this.#messages] : [...this.#messages, ...fresh]
    const furthest = this.#isOlder ? fresh[0] : fresh.at(-1)
    const onward = furthest ?? this.#onward(page)
    if (onward) this.#at = edgeOf(onward)
    else this.#hasEnded = true
  }

  result(): Listing {
    const messages = this.#isOlder ? this.#messages.slice(-this.#limit) : this.#messages.slice(0, this.#limit)
    const isCut = messages.length < this.#messages.length
    const hasOlder = !this.#isOlder || !this.#hasEnded || isCut
    const [oldest, newest] = [messages[0], messages.at(-1)]
    // A page without messages goes on from where its reading came to.
    const older = oldest ?? (this.#isOlder ? this.#at : edgeOf(this.#start))
    const newer = newest ?? (this.#isOlder ? edgeOf(this.#start) : this.#at)
    const isSomewhere = newest !== undefined || this.#start.id !== undefined
    return {
      messages,
      ...(hasOlder && { older: placeAt('older', older) }),
      ...(isSomewhere && { newer: placeAt('newer', newer) })
    }
  }

  get #cursor(): ThreadCursor {
    return { affix: this.#isOlder ? 'prepend' : 'append', ...this.#at }
  }

  /** Where CometChat says that there may be more; undefined where it names the same place again. */
  #onward({ next }: Messages): ThreadCursor | undefined {
    const { affix, id, sentAt } = this.#cursor
    return next?.affix === affix && (next.id !== id || next.sentAt !== sentAt) ? next : undefined
  }

  #isBeyond(message: ListedMessage): boolean {
    const { id, sentAt } = this.#at
    if (id === undefined && sentAt === undefined) return true
    const age = this.#ageFromEdge(message)
    return age < 0 || (age === 0 && id === undefined)
  }

  /** On the side that was shown: nothing there is behind a cursor. */
  #isBehind(message: ListedMessage): boolean {
    return this.#ageFromEdge(message) > 0
  }

  /** Negative where a message lies in the direction of this listing. */
  #ageFromEdge(message: ListedMessage): number {
    const { id = '', sentAt } = this.#at
    const age = compare(message, { id, ...(sentAt !== undefined && { sentAt }) })
    return this.#isOlder ? age : -age
  }
}

function edgeOf({ id, sentAt }: Edge): Edge {
  return { ...(id !== undefined && { id }), ...(sentAt !== undefined && { sentAt }) }
}

function placeAt(direction: ListingPlace['direction'], edge: Edge): ListingPlace {
  return { direction, paging: 'cursor', ...edgeOf(edge) }
}
