// The thread that the replies of a scenario land in, as CometChat may page it: others wrote in it before, and everybody
// removes and edits. The paging is the emulator's own.
import { DEFAULT_SWITCHES, type Switches } from '../../../emulator/switches.ts'
import type { ThreadMessage, ThreadPage, ThreadPlace } from '../../../src/upstream/thread/page.ts'
import { emulatedPage } from '../../upstream/thread/emulated-page.ts'
import type { Decisions } from './decisions.ts'

interface Entry<Post> {
  readonly id: string
  readonly sentAtMs: number
  /** Absent for what others wrote. */
  readonly post?: Post
  isRemoved?: boolean
  /** With the edit went the mark. */
  isEdited?: boolean
}

type Paging = Partial<Switches>

/** The first is the emulator's default, for scenarios that decide nothing. */
const WAYS: readonly [Paging, ...Paging[]] = [
  {},
  { threadPaging: 'page' },
  { threadPaging: 'page', threadOrder: 'newest-first' },
  { threadPaging: 'cursor', threadCursor: 'inclusive' },
  { threadOrder: 'newest-first', threadNext: 'always' },
  { threadNext: 'never', threadPageMax: 3 },
  { threadPaging: 'page', threadNext: 'always', threadPageMax: 3 },
  { threadPaging: 'ignored' }
]

/** So many that the replies of a scenario begin a page. */
const MESSAGES_OF_OTHERS = 8
export const PAGE_SIZE = 4
/** Long before the first attempt, and shortly before. */
const [LONG_AGO_MS, LATELY_MS] = [3_600_000, 60_000]

export class FakeThread<Post> {
  readonly #switches: Switches
  #entries: Entry<Post>[]

  constructor(decisions: Decisions, nowMs: number) {
    this.#switches = { ...DEFAULT_SWITCHES, ...decisions.pick(WAYS) }
    const recent = decisions.pick([2, 0, MESSAGES_OF_OTHERS])
    this.#entries = Array.from({ length: MESSAGES_OF_OTHERS }, (_, index) => ({
      id: `${10 + index}`,
      sentAtMs: nowMs - (index < MESSAGES_OF_OTHERS - recent ? LONG_AGO_MS : LATELY_MS) + index * 1000
    }))
  }

  /** Whether somebody who reads this thread can show that a reply is not in it. */
  get canProve(): boolean {
    return (
      this.#switches.threadPaging !== 'ignored' &&
      !this.#entries.some(({ isRemoved, isEdited }) => isRemoved || isEdited)
    )
  }

  append(id: string, post: Post, sentAtMs: number): void {
    this.#entries.push({ id, post, sentAtMs })
  }

  /** Somebody removes or edits a message: what is removed for good, where others wrote it, makes all that follow move. */
  change(decisions: Decisions): string | undefined {
    const [first, ...more] = this.#entries
    const entry = first && decisions.pick([first, ...more])
    const act = decisions.pick(['deletes', 'removes', 'deletes', 'edits'] as const)
    if (act === 'deletes' && entry?.post === undefined) this.#entries = this.#entries.filter(one => one !== entry)
    else if (entry && act === 'edits') entry.isEdited = true
    else if (entry) entry.isRemoved = true
    return entry && `${act} ${entry.id}`
  }

  page(place: ThreadPlace, isSought: (post: Post) => boolean): ThreadPage<Post> {
    const { shown, next } = emulatedPage(this.#entries, place, this.#switches)
    const found = shown.find(({ post, isRemoved, isEdited }) => post && !isRemoved && !isEdited && isSought(post))?.post
    if (found !== undefined) return { kind: 'found', found }
    return { kind: 'messages', messages: shown.map(describe), bytes: 0, ...(next && { next }) }
  }
}

/** A tombstone has neither time nor sender; an edited message of another sender is no suspect. */
function describe({ id, sentAtMs, post, isRemoved, isEdited }: Entry<unknown>): ThreadMessage {
  const isSuspect = isRemoved || (isEdited && post !== undefined)
  return { id, ...(!isRemoved && { sentAt: Math.floor(sentAtMs / 1000) }), ...(isSuspect && { isSuspect }) }
}
