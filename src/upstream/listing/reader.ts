import type { ThreadPlace } from '../thread/page.ts'
import type { ListedPage } from './page.ts'

/** What one page of a listing may cost. */
export const MAX_LISTING_READS = 3

export interface ListingSource {
  readonly readPage: (place: ThreadPlace) => Promise<ListedPage>
  /** How many replies the parent says that it has; undefined where it does not say. */
  readonly readReplyCount: () => Promise<number | undefined>
}

/** Reads pages for one listing, and counts them. */
export class ListingReader {
  readonly #source: ListingSource
  #left = MAX_LISTING_READS

  constructor(source: ListingSource) {
    this.#source = source
  }

  get left(): number {
    return this.#left
  }

  read(place: ThreadPlace): Promise<ListedPage> {
    this.#count()
    return this.#source.readPage(place)
  }

  readReplyCount(): Promise<number | undefined> {
    this.#count()
    return this.#source.readReplyCount()
  }

  #count(): void {
    if (this.#left <= 0) throw new Error('a listing reads no more than it may')
    this.#left--
  }
}
