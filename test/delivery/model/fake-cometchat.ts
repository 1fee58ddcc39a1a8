// CometChat as far as delivery can see it. Its ledger is the judge: what was posted, by which attempt, and when.

import { AppError } from '../../../src/errors.ts'
import type { CometChatClient } from '../../../src/upstream/cometchat-client.ts'
import type { ThreadPage, ThreadPlace } from '../../../src/upstream/thread/page.ts'
import { searchThread } from '../../../src/upstream/thread/search.ts'
import type { Deadline, PostedReply, SoughtReply, ThreadLook } from '../../../src/upstream/types.ts'
import type { Attempt } from './attempt.ts'
import type { Decisions } from './decisions.ts'
import { FakeThread, PAGE_SIZE } from './fake-thread.ts'
import type { World } from './world.ts'

export interface Post {
  readonly attempt: Attempt
  readonly marker: string | undefined
  /** Where in the sequence of steps it was written. */
  readonly writtenAt: number
  /** Given when CometChat commits it. */
  messageId?: string
  committedAt?: number
}

const CLOCK_AHEAD_MS = Date.UTC(2026, 0, 1)

const FATES = [
  'answers',
  'commits, and the connection dies',
  'does not commit, and the connection dies',
  'commits after the connection died',
  'commits after silence until the deadline',
  'refuses',
  'wants to be asked later',
  'commits, and breaks its contract',
  'commits, and its answer meets a bug'
] as const
export type Fate = (typeof FATES)[number]

export interface FakeCometChatOptions {
  readonly world: World
  readonly decisions: Decisions
  /** The longest time between the end of a connection and the commit of what it carried. */
  readonly latestCommitMs: number
  readonly flaws: Flaws
  /** How the service searches a thread; for mutants. */
  readonly search?: typeof searchThread<Post>
}

/** How often each thing goes wrong. */
export interface Flaws {
  perThousand: number
}

export class FakeCometChat {
  readonly posts: Post[] = []
  /** What the next replies meet, for those who script it. */
  readonly script: Fate[] = []
  readonly #options: FakeCometChatOptions
  readonly #thread: FakeThread<Post>
  /** When pages were asked for, to judge the cost by. */
  readonly reads: { readonly atMs: number; readonly attempt: Attempt }[] = []

  constructor(options: FakeCometChatOptions) {
    this.#options = options
    this.#thread = new FakeThread(options.decisions, this.#timeMs())
  }

  /** Whether the thread can show that a reply is not in it; where it cannot, the reply may stay unknown. */
  get canProve(): boolean {
    return this.#thread.canProve
  }

  /** CometChat's own clock, which is another than that of any process. */
  #timeMs(): number {
    return CLOCK_AHEAD_MS + this.#options.world.nowMs
  }

  /** Messages that exist. */
  get ledger(): readonly Post[] {
    return this.posts.filter(({ messageId }) => messageId !== undefined)
  }

  /** CometChat as one attempt meets it. */
  clientOf(attempt: Attempt): Omit<CometChatClient, 'readMessage'> {
    return {
      postReply: ({ marker }, _receiver, deadline) =>
        this.#ask(attempt, 'writes its reply', deadline, () => this.#post({ attempt, marker, writtenAt: 0 }, deadline)),
      findReply: (sought, look, deadline) => this.#find(attempt, sought, look, deadline),
      timeMs: () => this.#timeMs()
    }
  }

  /** Two steps: the call is made in the turn of the process, and the process is told. */
  #ask<T>(attempt: Attempt, what: string, deadline: Deadline, act: () => T): Promise<T> {
    const { world } = this.#options
    const { process } = attempt
    const label = `#${attempt.id} ${what}`
    attempt.lastAskedAt = world.sequence
    return new Promise((resolve, reject) => {
      const tell = (run: () => void, notBeforeMs = 0): void =>
        world.add({ label: `${label}: it is told`, process, place: 'inside', notBeforeMs, run })
      const run = (): void => {
        try {
          const result = act()
          tell(() => resolve(result))
        } catch (error) {
          const isSilence = error instanceof AppError && error.code === 'deadline-exceeded'
          tell(() => reject(error), isSilence ? deadline.atMs + process.bootedAtMs : 0)
        }
      }
      world.add({ label, process, place: 'inside', run })
    })
  }

  #post(post: Post, deadline: Deadline): PostedReply {
    const { world, decisions, flaws } = this.#options
    // The turn of the write: from here on the reply may exist.
    if (deadline.shouldSend?.() === false) throw new AppError('client-closed', 'It was not written.')
    if (decisions.happens(flaws.perThousand / 4))
      throw new AppError('upstream-unreachable', 'It was not written.', { reason: 'unreachable' })
    const written = { ...post, writtenAt: world.sequence }
    this.posts.push(written)
    const fate = this.script.shift() ?? (decisions.happens(flaws.perThousand * 3) ? decisions.pick(FATES) : 'answers')
    world.note(`CometChat ${fate}`)
    return this.#carryOut(fate, written, deadline.atMs + post.attempt.process.bootedAtMs)
  }

  #carryOut(fate: Fate, post: Post, deadlineAtMs: number): PostedReply {
    if (fate === 'refuses') throw new AppError('rejected-by-cometchat', 'It was refused.')
    if (fate === 'wants to be asked later')
      throw new AppError('rate-limited', 'It was refused for now.', { reason: 'cometchat' })
    if (fate === 'commits after the connection died') this.#commitLate(post, this.#options.world.nowMs)
    else if (fate === 'commits after silence until the deadline') this.#commitLate(post, deadlineAtMs)
    else if (fate !== 'does not commit, and the connection dies') this.#commit(post)
    switch (fate) {
      case 'answers':
        return described(post)
      case 'commits after silence until the deadline':
        throw new AppError('deadline-exceeded', 'No answer in time.', { delivery: 'unknown', reason: 'no-answer' })
      case 'commits, and breaks its contract':
        throw new AppError('upstream-contract', 'It was sent.', { messageId: described(post).messageId })
      case 'commits, and its answer meets a bug':
        throw new TypeError('a bug of ours')
      default:
        throw new AppError('upstream-reset', 'The connection was lost.')
    }
  }

  #commit(post: Post): void {
    post.committedAt = this.#options.world.sequence
    post.messageId = String(101 + this.ledger.length)
    this.#thread.append(post.messageId, post, this.#timeMs())
    this.#options.world.note(`CometChat has ${post.messageId}, of #${post.attempt.id}`)
  }

  #commitLate(post: Post, diedAtMs: number): void {
    const { world, decisions, latestCommitMs } = this.#options
    const lateMs = Math.floor(latestCommitMs * decisions.pick([1, 0.5, 0.99, 0.01]))
    world.commitAt(diedAtMs + lateMs, () => this.#commit(post))
  }

  async #find(
    attempt: Attempt,
    { marker }: SoughtReply,
    look: ThreadLook,
    deadline: Deadline
  ): Promise<PostedReply | 'absent'> {
    const { search = searchThread } = this.#options
    const readPage = (place: ThreadPlace): Promise<ThreadPage<Post>> => {
      look.reads++
      return this.#ask(attempt, `reads page ${place.page} of ${place.size}`, deadline, () => {
        this.reads.push({ atMs: this.#options.world.nowMs, attempt })
        this.#meetFlaws(deadline)
        return this.#thread.page(place, post => post.marker === marker)
      })
    }
    const remember: NonNullable<Parameters<typeof searchThread>[0]['remember']> = memory => {
      look.memory = memory
    }
    const result = await search({ ...look, readPage, remember, sizes: [PAGE_SIZE, 1], maxPageBytes: 1 })
    if (result === 'unproven')
      throw new AppError('upstream-invalid', 'Not proven.', { delivery: 'not-sent', reason: 'thread-unreadable' })
    return result === 'absent' ? result : described(result.found)
  }

  #meetFlaws(deadline: Deadline): void {
    const { decisions, flaws, world } = this.#options
    if (deadline.shouldSend?.() === false) throw new AppError('client-closed', 'It was not read.')
    if (decisions.happens(flaws.perThousand / 4))
      throw new AppError('upstream-error', 'Not read.', { delivery: 'not-sent', reason: 'status-5xx' })
    if (decisions.happens(flaws.perThousand * 3)) world.note(`somebody ${this.#thread.change(decisions)}`)
  }
}

function described({ messageId = '' }: Post): PostedReply {
  return { messageId, body: JSON.stringify({ data: { id: messageId } }) }
}
