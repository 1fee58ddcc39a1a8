// What the browser shows, and what it never got.
import type { Test } from 'tap'
import type { OpenDemo } from './open-demo.ts'

export function secretsStayHidden(t: Test, demo: OpenDemo): void {
  const { page, parts } = demo

  t.test('a hop opens to the raw request and answer, with fingerprints in the place of secrets', async t => {
    const hopTo = (end: string) => page.locator('.trip[data-read="no"] .hop', { hasText: `${end}: ` }).last()
    await hopTo('service to CometChat').locator('summary').click()
    await hopTo('browser to service').locator('summary').click()

    const [toCometChat, toService] = [hopTo('service to CometChat'), hopTo('browser to service')]
    t.match(await toCometChat.getByLabel('Request').textContent(), /apikey: \(the key, sha256:[0-9a-f]{8}\)/i)
    t.match(await toCometChat.getByLabel('Answer').textContent(), /^HTTP\/1\.1 200\n/)
    t.match(
      await toService.getByLabel('Request').textContent(),
      /authorization: Bearer \(a token, sha256:[0-9a-f]{8}\)/i
    )
  })

  t.test('the box finds no secret, and finds what is there', async t => {
    const found = page.locator('.found')
    for (const name of Object.keys(parts.secrets)) {
      await demo.press(`Find ${name}`)
      await found.getByText(`for ${name} (sha256:`).waitFor()
      t.match(await found.textContent(), /^0 hits /, name)
    }

    await page.getByLabel('Text to find').fill('alice')
    await demo.press('Find')

    await found.getByText('“alice”').waitFor()
    t.match(await found.textContent(), /^[1-9]\d* hits /)
  })

  t.test('no secret is in anything that the browser received, shows or keeps', async t => {
    const all = await everythingSent(demo)

    t.match(all, 'Yes, on Friday.', 'what was sent is found')
    for (const [name, secret] of Object.entries(parts.secrets)) {
      t.ok(secret.length >= 32, name)
      t.notOk(all.includes(secret), name)
    }
  })
}

/** Whatever the browser got, shows and keeps, as one text to search. */
async function everythingSent({ page, parts, received }: OpenDemo): Promise<string> {
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
