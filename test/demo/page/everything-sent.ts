// Whatever the browser got, shows and keeps, as one text to search.
import type { OpenDemo } from './open-demo.ts'

export async function everythingSent({ page, parts, received }: OpenDemo): Promise<string> {
  const shown = await Promise.all(page.frames().map(frame => frame.content()))
  const stored = await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie')
  return [received(), ...shown, stored, await firstEvents(parts.page.url)].join('\n')
}

/** What a page is told as it opens: a browser does not give away an answer that never ends. */
async function firstEvents(url: string): Promise<string> {
  const stop = new AbortController()
  const answer = await fetch(`${url}events`, { signal: stop.signal })
  let text = ''
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString()
    if (text.includes('event: overview')) break
  }
  stop.abort()
  return text
}
