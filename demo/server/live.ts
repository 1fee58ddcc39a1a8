// Tells open pages what happens, as server-sent events.
import type { ServerResponse } from 'node:http'
import type { Redact } from './redact.ts'
import type { Hop, Story } from './story.ts'

/** What is not a hop, and changes: the balances and what is broken. */
export type Overview = () => object

export type Live = ReturnType<typeof createLive>

export function createLive(story: Story, redact: Redact, overview: Overview) {
  const open = new Set<ServerResponse>()

  const write = (response: ServerResponse, event: string, data: unknown): void => {
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
  const safe = (hop: Hop): Hop => ({ ...hop, request: redact(hop.request), answer: redact(hop.answer) })

  const tellOverview = (): void => {
    const now = overview()
    for (const response of open) write(response, 'overview', now)
  }

  story.listen(hop => {
    for (const response of open) write(response, 'hop', safe(hop))
    tellOverview()
  })

  return {
    tellOverview,

    /** Keeps the answer open, begins with all there is, and goes on with what changes. */
    follow(response: ServerResponse): void {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      for (const hop of story.hops) write(response, 'hop', safe(hop))
      write(response, 'overview', overview())
      open.add(response)
      response.once('close', () => void open.delete(response))
    }
  }
}
