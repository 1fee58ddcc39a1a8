import { idsOf } from '../thread/page.ts'
import { compare, type ListedMessage, type ListedPage, type Listing, type ListingPlace, oldestFirst } from './page.ts'
import type { ListingReader } from './reader.ts'
import { WHOLE_SIZE } from './whole.ts'
import { type Window, windowOver } from './windows.ts'

/** What this process has seen of the lists of its CometChat. */
export interface KnownPages {
  readonly isNewestFirst: boolean
  /** It gives no more than this at once. */
  largest?: number
  /** So many pages in a row began as another page did, as all do where CometChat does not go by numbers. */
  repeats: number
}

type Behind = 'nothing' | 'something' | 'unproven'
type Messages = Extract<ListedPage, { readonly kind: 'messages' }>

/** How many messages beside the edge a page shows again: so many may disappear between two reads. */
const OVERLAP = 3
/** How much further a page reaches where the one before did not meet the edge. */
const REACHES = [0, 250, WHOLE_SIZE] as const
/** A page with so much room left is the last: as many are not hidden in it, and removed between two reads, too. */
const ROOM = 100
const SHRINK = 4
/** A list from which as many messages disappear between two reads looks like one that is shown again. */
const MAX_REPEATS = 2

/**
 * Lists a thread whose CometChat goes by the numbers of pages. Such a list moves while it is read, so a page counts only
 * where it shows a message from the side that was shown already: what follows that one follows it without a gap.
 */
export class PageListing {
  readonly #reader: ListingReader
  readonly #limit: number
  readonly #start: ListingPlace
  readonly #known: KnownPages
  /** Whether the list goes on in the direction of this listing. */
  readonly #isForward: boolean
  #edge: ListedMessage | Pick<ListedMessage, 'id' | 'sentAt'> | undefined
  #position: number
  #messages: readonly ListedMessage[] = []
  /** By id, where a message stands in the list at the least and at the most. */
  readonly #places = new Map<string, readonly [number, number]>()
  #hasEnded = false
  #hasLeaped = false
  #tries = 0
  #largest: number
  #former: { readonly start: number; readonly firstId: string } | undefined

  constructor(reader: ListingReader, limit: number, start: ListingPlace, known: KnownPages) {
    this.#reader = reader
    this.#limit = limit
    this.#start = start
    this.#known = known
    this.#isForward = (start.direction === 'older') === known.isNewestFirst
    const { id, sentAt, position = 0 } = start
    this.#edge = id === undefined ? undefined : { id, ...(sentAt !== undefined && { sentAt }) }
    this.#position = position
    this.#largest = Math.min(WHOLE_SIZE, known.largest ?? WHOLE_SIZE)
  }

  /** `nothing` where CometChat is seen to show the same page whatever it is asked for; undefined for what cannot be read. */
  async list(): Promise<Listing | 'nothing' | undefined> {
    if (this.#isAtUnknownEnd) this.#position = (await this.#reader.readReplyCount()) ?? 0
    while (this.#reader.left > 0 && !this.#hasEnded && !this.#isEnough) {
      const ending = await this.#step()
      if (ending) return ending === 'unreadable' ? undefined : ending
    }
    return this.#result()
  }

  /** Of a list whose newest messages are its last. */
  get #isAtUnknownEnd(): boolean {
    return !this.#edge && !this.#isForward && this.#start.position === undefined
  }

  /** As many as there are at once; where that is less than its limit, a page is put together of several. */
  get #isEnough(): boolean {
    const count = this.#messages.length
    return count >= this.#limit || (count > 0 && this.#largest > this.#limit)
  }

  async #step(): Promise<'nothing' | 'unreadable' | undefined> {
    const window = this.#nextWindow()
    const size = window.end - window.start
    const page = await this.#reader.read({ page: window.start / size + 1, size })
    if (page.kind === 'refused' || (page.kind === 'too-large' && size === 1)) return 'unreadable'
    if (page.kind === 'too-large') {
      this.#largest = Math.ceil(size / SHRINK)
      return undefined
    }
    if (page.size < size) {
      this.#known.largest = page.size
      this.#largest = page.size
    }
    const start = (window.start / size) * page.size
    if (this.#isSameAgain(start, page)) this.#known.repeats++
    if (this.#known.repeats >= MAX_REPEATS) return 'nothing'
    await this.#take({ start, end: start + page.size }, page)
    return undefined
  }

  #nextWindow(): Window {
    const [nearFrom, nearTo] = this.#windowAround(0)
    // An edge that was not met is looked for on both sides, within one page; behind a page that was just read it goes as far as
    // it can.
    const room = this.#hasLeaped ? WHOLE_SIZE : Math.max(0, Math.floor((this.#largest - (nearTo - nearFrom)) / 2))
    const reach = REACHES[Math.min(this.#tries, REACHES.length - 1)] ?? 0
    const [from, to] = this.#windowAround(Math.min(reach, room))
    return windowOver(from, to, this.#largest, this.#isForward)
  }

  #windowAround(reach: number): readonly [from: number, to: number] {
    const wanted = this.#limit + 1 + OVERLAP
    // Behind a page that was just read it may be less: pages of any size could begin or end where that one did.
    const overlap = this.#hasLeaped ? 1 : OVERLAP + reach
    if (this.#isForward) {
      return [Math.max(0, this.#position - overlap), this.#position + wanted + reach]
    }
    const from = Math.max(0, this.#position - this.#limit - reach)
    // From the beginning of a list as much as there may be.
    const least = from === 0 ? Math.min(wanted, this.#largest) : 0
    return [from, Math.max(this.#position + 1 + overlap, least)]
  }

  /** A page further on that begins with the same message: CometChat does not go by its number. */
  #isSameAgain(start: number, { messages }: Messages): boolean {
    const [first] = messages
    if (!first) return false
    const former = this.#former
    this.#former = { start, firstId: first.id }
    return former !== undefined && former.firstId === first.id && Math.abs(former.start - start) > OVERLAP
  }

  async #take(window: Window, page: Messages): Promise<void> {
    const { messages } = page
    this.#note(window, messages)
    this.#tries++
    this.#hasLeaped = false
    const wanted = messages.filter(message => this.#isWanted(message))
    const between = wanted.length < messages.length ? 'nothing' : await this.#betweenEdgeAnd(window, page)
    if (between === 'nothing' && wanted.length > 0) {
      this.#add(wanted, window)
      if (this.#isForward && this.#isDone(page, wanted)) {
        this.#hasEnded = (await this.#behind(window, page)) === 'nothing'
      }
    } else if (between === 'nothing') await this.#goOn(window, page)
    else if (between === 'unproven') this.#stayAt(window, page)
    else this.#goBack(window, messages.length === 0)
  }

  /** What could have been left out, where all of a page lies beyond the edge. */
  async #betweenEdgeAnd(window: Window, page: Messages): Promise<Behind> {
    const { messages, size } = page
    if (this.#isForward) return window.start === 0 && messages.length > 0 ? 'nothing' : 'something'
    if (messages.length === 0 || messages.length >= size) return 'something'
    return this.#edge === undefined ? 'nothing' : this.#lookBehind(window, page)
  }

  /** Of newer messages nobody has to know for certain that there are none: whoever waits for them asks again. */
  async #behind(window: Window, page: Messages): Promise<Behind> {
    if (this.#start.direction === 'older') return this.#lookBehind(window, page)
    const { id = '', sentAt } = page.next ?? {}
    const isMore = page.next && this.#isWanted({ id, ...(sentAt !== undefined && { sentAt }) })
    return isMore ? 'something' : 'nothing'
  }

  /**
   * An empty page proves that there is nothing, where the one before it is still the same afterwards: what is removed between
   * two reads pulls the rest of the list out of the one into the other, which was read before.
   */
  async #lookBehind({ start, end }: Window, { messages, size }: Messages): Promise<Behind> {
    if (this.#reader.left === 0) return 'unproven'
    const behind = await this.#reader.read({ page: end / size + 1, size })
    if (behind.kind !== 'messages' || behind.messages.length > 0 || behind.next) return 'something'
    if (size - messages.length >= ROOM) return 'nothing'
    if (this.#reader.left === 0) return 'unproven'
    const again = await this.#reader.read({ page: start / size + 1, size })
    const isSame = again.kind === 'messages' && idsOf(again).join() === idsOf({ messages }).join()
    return isSame ? 'nothing' : 'unproven'
  }

  #add(wanted: readonly ListedMessage[], { start, end }: Window): void {
    this.#known.repeats = 0
    const left = this.#limit - this.#messages.length
    const near = this.#isForward ? wanted.slice(0, left) : wanted.slice(-left)
    this.#messages = this.#isForward ? [...this.#messages, ...near] : [...near, ...this.#messages]
    this.#edge = this.#isForward ? near.at(-1) : near[0]
    this.#position = this.#placeOf(this.#edge, this.#start.direction) ?? (this.#isForward ? start : end)
    this.#tries = 0
    if (!this.#isForward && this.#position === 0) this.#hasEnded = true
  }

  /** The page may be the last of the list, and all of it is shown. */
  #isDone({ messages, size }: Messages, wanted: readonly ListedMessage[]): boolean {
    return messages.length < size && this.#edge?.id === wanted.at(-1)?.id
  }

  /** Only messages that were shown: the list moved on, or it ends here. */
  async #goOn(window: Window, page: Messages): Promise<void> {
    const { messages, size } = page
    if (!this.#isForward) {
      this.#hasEnded = window.start === 0
      this.#position = window.start
      this.#hasLeaped = true
      return
    }
    const behind = messages.length < size ? await this.#behind(window, page) : 'something'
    if (behind === 'nothing') this.#hasEnded = true
    if (behind === 'unproven') this.#stayAt(window, page)
    else this.#position = window.end
    this.#hasLeaped = true
  }

  /** What could not be proved is looked at once more. */
  #stayAt({ start }: Window, { messages }: Messages): void {
    this.#position = start + messages.length
  }

  /** The page lies beyond the edge, or beyond the list: messages were removed meanwhile. */
  #goBack(window: Window, isEmpty: boolean): void {
    if (this.#isForward || isEmpty) {
      if (window.start === 0) this.#hasEnded = true
      this.#position = Math.max(0, window.start - 1 - (this.#isForward ? 0 : OVERLAP))
    } else this.#position = window.end
  }

  #note({ start, end }: Window, messages: readonly ListedMessage[]): void {
    for (const [index, { id }] of messages.entries())
      this.#places.set(id, [start + index, end - messages.length + index])
  }

  #isWanted(message: Pick<ListedMessage, 'id' | 'sentAt'>): boolean {
    if (!this.#edge) return true
    const age = compare(message, this.#edge)
    return this.#start.direction === 'older' ? age < 0 : age > 0
  }

  #result(): Listing {
    const messages = oldestFirst(this.#messages)
    const [oldest, newest] = [messages[0] ?? this.#edge, messages.at(-1) ?? this.#edge]
    const hasOlder = this.#start.direction === 'newer' || !this.#hasEnded
    return {
      messages,
      ...(hasOlder && { older: this.#placeAt('older', oldest) }),
      ...(newest && { newer: this.#placeAt('newer', newest) })
    }
  }

  /**
   * Where a message stands, as far as that can be told. In a list that begins with the oldest, a page is met sooner from too
   * far on; in one that begins with the newest there may be nothing there, however large the page was that showed it.
   */
  #placeOf(edge: Pick<ListedMessage, 'id'> | undefined, direction: ListingPlace['direction']): number | undefined {
    const [least, most] = (edge && this.#places.get(edge.id)) ?? []
    return direction === 'older' && !this.#known.isNewestFirst ? most : least
  }

  #placeAt(direction: ListingPlace['direction'], edge: Pick<ListedMessage, 'id' | 'sentAt'> | undefined): ListingPlace {
    return {
      direction,
      paging: 'page',
      position: this.#placeOf(edge, direction) ?? this.#position,
      ...(edge && { id: edge.id }),
      ...(edge?.sentAt !== undefined && { sentAt: edge.sentAt })
    }
  }
}
