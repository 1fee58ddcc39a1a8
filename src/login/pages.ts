export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY'
} as const

/**
 * Goes on to a page of the same origin. A redirect would not do: it belongs to the navigation that began at the
 * provider, and on such a one browsers leave SameSite=Strict cookies out. This page begins a navigation of its own.
 */
export function continuePage(url: string): string {
  const href = escaped(url)
  return page(
    'Signed in',
    `<meta http-equiv="refresh" content="0;url=${href}">`,
    `<p><a href="${href}">Continue</a></p>`
  )
}

export interface ShownProblem {
  readonly title: string
  readonly detail: string
  readonly code: string
  readonly requestId: string
}

/** Says what went wrong in the words of this service; nothing of the request or the provider is repeated. */
export function problemPage({ title, detail, code, requestId }: ShownProblem): string {
  return page(
    title,
    '',
    `<h1>${escaped(title)}</h1><p>${escaped(detail)}</p><p><a href="/auth/login">Sign in again</a></p>` +
      `<p><code>${escaped(code)}</code> <code>${escaped(requestId)}</code></p>`
  )
}

function page(title: string, head: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>${head}</head><body>${body}</body></html>\n`
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
}
