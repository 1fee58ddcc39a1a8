// The thread that the replies of a scenario land in: others wrote in it before, and delete what they wrote.
import type { ThreadPage, ThreadWindow } from '../../../src/upstream/thread-search.ts'
import type { Decisions } from './decisions.ts'

interface Entry<Post> {
  readonly id: string
  /** Absent for what others wrote. */
  readonly post?: Post
}

/** So many that the replies of a scenario begin a page. */
const MESSAGES_OF_OTHERS = 8
export const PAGE_SIZE = 4

export class FakeThread<Post> {
  #entries: Entry<Post>[] = Array.from({ length: MESSAGES_OF_OTHERS }, (_, index) => ({ id: `other-${index}` }))

  append(id: string, post: Post): void {
    this.#entries.push({ id, post })
  }

  /** One of the others deletes a message; what follows moves up. */
  deleteOne(decisions: Decisions): string | undefined {
    const [first, ...more] = this.#entries.filter(({ post }) => post === undefined)
    const entry = first && decisions.pick([first, ...more])
    this.#entries = this.#entries.filter(one => one !== entry)
    return entry?.id
  }

  page({ page, size }: ThreadWindow, isSought: (post: Post) => boolean): ThreadPage<Post> {
    const shown = this.#entries.slice((page - 1) * size, page * size)
    const found = shown.find(({ post }) => post !== undefined && isSought(post))?.post
    if (found !== undefined) return { kind: 'found', found }
    return { kind: 'messages', ids: shown.map(({ id }) => id), bytes: 0 }
  }
}
