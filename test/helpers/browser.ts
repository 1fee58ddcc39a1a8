import type { Json } from './json.ts'
// A small browser: it keeps cookies by origin, follows redirects by hand, and knows what SameSite means.
export interface Visit {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Json
  readonly cookies: readonly string[]
}

export interface VisitOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The navigation began on another site: Strict cookies stay at home. */
  readonly crossSite?: boolean
}

interface Cookie {
  readonly value: string
  readonly sameSite: string
  readonly attributes: readonly string[]
}

export class Browser {
  /** By origin, then by name. */
  readonly jars = new Map<string, Map<string, Cookie>>()
  /** Every answer of every origin, in order. */
  readonly visits: Visit[] = []

  cookie(origin: string, name: string): string | undefined {
    return this.jars.get(origin)?.get(name)?.value
  }

  plant(origin: string, name: string, value: string): void {
    this.#jar(origin).set(name, { value, sameSite: 'Strict', attributes: [] })
  }

  /** One request, as a person who follows a link or as a form makes it; redirects are not followed. */
  async visit(
    url: string,
    { method = 'GET', headers = {}, body, crossSite = false }: VisitOptions = {}
  ): Promise<Visit> {
    const { origin } = new URL(url)
    const sent = [...this.#jar(origin)].filter(([, { sameSite }]) => !crossSite || sameSite !== 'Strict')
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        ...(sent.length > 0 && { cookie: sent.map(([name, { value }]) => `${name}=${value}`).join('; ') }),
        ...headers
      },
      ...(body !== undefined && { body })
    })
    const cookies = response.headers.getSetCookie()
    for (const line of cookies) this.#keep(origin, line)
    const text = await response.text()
    const visit = { url, status: response.status, headers: response.headers, text, json: parse(text), cookies }
    this.visits.push(visit)
    return visit
  }

  /** Follows redirects, forms that a page sends by itself and `refresh` pages; a redirect keeps its first site. */
  async travel(
    url: string,
    options: VisitOptions & { readonly until?: (url: string) => boolean } = {}
  ): Promise<Visit> {
    const begun = new URL(url).origin
    let visit = await this.visit(url, options)
    let crossSite = options.crossSite ?? false
    for (let hops = 0; hops < 20; hops++) {
      const next = nextOf(visit)
      if (!next || options.until?.(next.url)) return visit
      crossSite =
        !next.isOwn && (crossSite || new URL(next.url).origin !== begun || new URL(visit.url).origin !== begun)
      visit = await this.visit(next.url, {
        ...next.options,
        crossSite: crossSite && new URL(next.url).origin === begun
      })
    }
    throw new Error('too many redirects')
  }

  #jar(origin: string): Map<string, Cookie> {
    const jar = this.jars.get(origin) ?? new Map<string, Cookie>()
    this.jars.set(origin, jar)
    return jar
  }

  #keep(origin: string, line: string): void {
    const [pair = '', ...attributes] = line.split('; ')
    const name = pair.slice(0, pair.indexOf('='))
    const value = pair.slice(name.length + 1)
    const isOver = attributes.some(text => /^(max-age=0|expires=thu, 01 jan 1970)/i.test(text)) || value === ''
    const sameSite = attributes.find(text => /^samesite=/i.test(text))?.slice(9) ?? 'Lax'
    if (isOver) this.#jar(origin).delete(name)
    else this.#jar(origin).set(name, { value, sameSite, attributes })
  }
}

interface Next {
  readonly url: string
  readonly options: VisitOptions
  /** Begun by the page itself, not by the answer to a navigation. */
  readonly isOwn: boolean
}

function nextOf({ url, headers, text }: Visit): Next | undefined {
  const location = headers.get('location')
  if (location !== null) return { url: new URL(location, url).href, options: {}, isOwn: false }
  const refresh = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(text)?.[1]
  if (refresh !== undefined)
    return { url: new URL(refresh.replaceAll('&#38;', '&'), url).href, options: {}, isOwn: true }
  const action = /<form[^>]+method="post"[^>]+action="([^"]+)"/i.exec(text)?.[1]
  if (action === undefined) return undefined
  const fields = Array.from(
    text.matchAll(/name="([^"]+)" value="([^"]*)"/g),
    ([, name = '', value = '']): [string, string] => [name, value]
  )
  const body = new URLSearchParams(fields).toString()
  const options = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body }
  return { url: new URL(action, url).href, options, isOwn: true }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
