// For React: one client for the tree below a provider, and what a component needs of one thread.
import { createContext, createElement, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import type { Message, Page, Reply, ReplyBody, ThreadReplies } from './types.ts'

const Client = createContext<ThreadReplies | undefined>(undefined)

/** The client is made outside, once: a component may be rendered, and mounted, as often as React likes. */
export function ThreadRepliesProvider({
  client,
  children
}: {
  readonly client: ThreadReplies
  readonly children?: ReactNode
}) {
  return createElement(Client.Provider, { value: client }, children)
}

export interface UseThreadReplies {
  /** The newest page as the service shows it, oldest first; undefined until it has come. */
  readonly messages: readonly Message[] | undefined
  /** The replies of this account that are not among `messages` as they are: on their way, failed, or just sent. */
  readonly replies: readonly Reply[]
  /** The key of a message that this client sent: what `edit` takes. */
  keyOf(message: Message): string | undefined
  /** The cursor of what is before `messages`, for `list`. */
  readonly older: string | undefined
  send(body: ReplyBody, options?: { readonly key?: string }): Reply
  retry(key: string): Reply
  edit(key: string, body: ReplyBody): Reply
  discard(key: string): boolean
  list: ThreadReplies['list']
}

/** One thread, live: what stands in it, and what this user has written. */
export function useThreadReplies(threadId: string): UseThreadReplies {
  const client = useContext(Client)
  if (!client) throw new Error('useThreadReplies: put a <ThreadRepliesProvider client={…}> around it.')
  const [page, setPage] = useState<{ readonly of: string; readonly newest: Page }>()
  const [written, setWritten] = useState<{ readonly of: string; readonly replies: readonly Reply[] }>()
  useEffect(() => {
    const stops = [
      client.subscribe(threadId, replies => setWritten({ of: threadId, replies })),
      client.watch(threadId, newest => setPage({ of: threadId, newest }))
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }, [client, threadId])

  // What was told of another thread is not of this one.
  const newest = page?.of === threadId ? page.newest : undefined
  const all = written?.of === threadId ? written.replies : []
  const shown = new Set(newest?.messages.map(({ id }) => String(id)))
  const actions = useMemo(
    () => ({
      send: (body: ReplyBody, options?: { readonly key?: string }) => client.send(threadId, body, options),
      retry: client.retry,
      edit: client.edit,
      discard: client.discard,
      list: client.list
    }),
    [client, threadId]
  )
  return {
    ...actions,
    messages: newest?.messages,
    older: newest?.older,
    keyOf: ({ id }) => all.find(({ state }) => state.is === 'sent' && state.id === String(id))?.key,
    replies: all.filter(({ state }) => state.is !== 'sent' || !shown.has(state.id))
  }
}
