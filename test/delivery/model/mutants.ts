// Delivery with one mistake each, of the kind that has been made elsewhere: a suite that lets one live proves nothing.
import type { RecordStore } from '../../../src/delivery/record.ts'
import { AppError } from '../../../src/errors.ts'
import { searchThread } from '../../../src/upstream/thread/search.ts'
import { wrapStore } from '../wrap-store.ts'
import type { StageOptions } from './stage.ts'

export interface Mutant {
  readonly mistake: string
  /** The promise that it breaks. */
  readonly breaks: RegExp
  readonly options: Partial<StageOptions>
}

function store(change: (store: RecordStore) => Partial<RecordStore>): Pick<StageOptions, 'mutateStore'> {
  return { mutateStore: real => wrapStore(real, change(real)) }
}

type ReadPage = Parameters<NonNullable<StageOptions['search']>>[0]['readPage']

function withoutSuspects(readPage: ReadPage): ReadPage {
  return async place => {
    const page = await readPage(place)
    if (page.kind !== 'messages') return page
    return { ...page, messages: page.messages.map(({ isSuspect: _, ...message }) => message) }
  }
}

export const MUTANTS: readonly Mutant[] = [
  {
    mistake: 'a store that forgets SENT',
    breaks: /P1/,
    options: { ...store(() => ({ markSent: async () => true })), knowsReceiver: false }
  },
  {
    mistake: 'a store that says SENT of what it keeps as PENDING',
    breaks: /P1/,
    options: store(real => ({
      acquire: async (claim, as) => {
        const result = await real.acquire(claim)
        return as === 'sent' && result.kind === 'acquired' ? { kind: 'acquired-as-sent' } : result
      }
    }))
  },
  {
    mistake: 'a store that deletes the claim after every error',
    breaks: /P1/,
    options: store(real => ({ markInDoubt: async (key, owner) => real.release(key, owner) }))
  },
  {
    mistake: 'a store that gives a record under way to everybody who asks',
    breaks: /P1/,
    options: store(real => ({
      acquire: async (claim, as) => {
        const result = await real.acquire(claim, as)
        return result.kind === 'in-flight' ? { kind: 'acquired' } : result
      },
      markSent: async () => true
    }))
  },
  {
    mistake: 'a store that keeps a claim as long as its answer',
    breaks: /locked|P3/,
    options: store(real => ({ acquire: (claim, as) => real.acquire({ ...claim, leaseMs: 86_400_000 }, as) }))
  },
  {
    mistake: 'a store that gives a doubtful record to everybody who asks',
    breaks: /P1/,
    options: store(() => ({ takeOver: async () => true, markSent: async () => true }))
  },
  {
    mistake: 'a delivery that sends again at once when the thread has no such reply',
    breaks: /P1/,
    options: { quietPeriodMs: 0 }
  },
  {
    mistake: 'a search that misses the reply',
    breaks: /P1/,
    options: { mutateClient: real => ({ ...real, findReply: async () => 'absent' }) }
  },
  {
    mistake: 'a search that takes a list for one that does not move while it is read',
    breaks: /P1/,
    options: {
      search: async ({ readPage, sizes: [size] }) => {
        for (let page = 1; page < 30; page++) {
          const read = await readPage({ page, size })
          if (read.kind === 'found') return read
          if (read.kind === 'messages' && read.messages.length === 0) return 'absent'
        }
        return 'unproven'
      }
    }
  },
  {
    mistake: 'a search that takes where reading stops for a proof',
    breaks: /P1/,
    options: {
      search: async options => {
        const result = await searchThread(options)
        return result === 'unproven' ? 'absent' : result
      }
    }
  },
  {
    mistake: 'a search for which removed is absent, and edited is another',
    breaks: /P1/,
    options: { search: options => searchThread({ ...options, readPage: withoutSuspects(options.readPage) }) }
  },
  {
    mistake: 'a search that goes by a clock that runs ahead of that of CometChat',
    breaks: /P1/,
    options: { search: options => searchThread({ ...options, sinceMs: (options.sinceMs ?? 0) + 86_400_000 }) }
  },
  {
    mistake: 'a store that forgets what a search has cost',
    breaks: /cost/,
    options: store(() => ({ noteSearch: async () => true }))
  },
  {
    mistake: 'a process that writes although its time is over',
    breaks: /P1/,
    options: {
      mutateClient: real => ({
        ...real,
        postReply: (reply, receiver, deadline) =>
          real.postReply(reply, receiver, { ...deadline, shouldSend: () => true })
      })
    }
  },
  {
    mistake: 'a client that takes a lost connection for one that never was',
    breaks: /P[14]/,
    options: {
      mutateClient: real => ({
        ...real,
        postReply: (...args) =>
          real.postReply(...args).catch(() => {
            throw new AppError('upstream-unreachable', 'It was not sent, one believes.', { reason: 'unreachable' })
          })
      })
    }
  },
  {
    mistake: 'a client that takes any answer for its own',
    breaks: /P2/,
    options: {
      mutateClient: real => ({
        ...real,
        postReply: (...args) => real.postReply(...args).catch(() => ({ messageId: '99', body: '{}' }))
      })
    }
  }
]
