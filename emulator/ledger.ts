// What was really posted. Messages of a late commit become part of it when its instant has passed on the
// emulator's clock: that is looked at whenever anybody asks, so no timer is needed and a test's clock is enough.
import type { Effect } from './context.ts'
import type { State } from './state.ts'
import type { PostedMessage, StoredMessage } from './types.ts'

export interface Posting {
  readonly posts: readonly StoredMessage[]
  /** What else is done at that instant; it leaves no entry. */
  readonly effect?: Effect | undefined
  readonly onBehalfOf: string | null
}

interface LatePosting extends Posting {
  readonly dueMs: number
}

export type Ledger = ReturnType<typeof createLedger>

export function createLedger(state: State, now: () => number) {
  let entries: PostedMessage[] = []
  let late: LatePosting[] = []

  const record = ({ posts, effect, onBehalfOf }: Posting, atMs: number): void => {
    for (const message of posts) {
      state.commit(message, atMs)
      entries.push({ id: message.id, parentId: message.parentId, onBehalfOf, message, atMs })
    }
    effect?.(atMs)
  }

  const commitDue = (): void => {
    if (late.length === 0) return
    const nowMs = now()
    const due = late.filter(({ dueMs }) => dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs)
    late = late.filter(({ dueMs }) => dueMs > nowMs)
    for (const posting of due) record(posting, posting.dueMs)
  }

  return {
    commitDue,
    post: (posting: Posting) => record(posting, now()),
    postLater: (posting: Posting, afterMs: number) => void late.push({ ...posting, dueMs: now() + afterMs }),
    get entries(): readonly PostedMessage[] {
      commitDue()
      return entries
    },
    clear(): void {
      commitDue()
      entries = []
      late = []
    }
  }
}
