// An answer of this service, and what docs/openapi.json and Prism say of it.
import { tokenFor } from '../helpers/tokens.ts'
import { createJudge, pointerOf } from '../openapi/ajv.ts'
import { type ApiAnswer, type OpenApi, resolved } from '../openapi/files.ts'

export interface Call {
  readonly method?: string
  /** Nobody when it is empty. */
  readonly as?: string
  readonly claims?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** What the transport adds, and what CORS does. */
const OF_HTTP =
  /^(date|connection|keep-alive|content-length|content-type|transfer-encoding|vary|sl-violations|access-control-.*)$/

export async function ask(url: string, call: Call): Promise<Answer> {
  const { method = 'GET', as = 'alice', claims = {}, headers = {}, body } = call
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(as !== '' && { authorization: `Bearer ${await tokenFor(as, { claims })}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) })
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** What Prism says of a call that it passed on. */
export function violations({ headers }: Answer, place: 'request' | 'response'): string[] {
  const found: { location: string[]; message: string }[] = JSON.parse(headers.get('sl-violations') ?? '[]')
  return found.filter(({ location }) => location[0] === place).map(({ location, message }) => `${location} ${message}`)
}

/** Answers held against the document: status, headers, type and body. */
export function createReader(document: OpenApi) {
  const judge = createJudge(document)
  const templates = Object.keys(document.paths).map(path => ({
    path,
    pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`)
  }))
  /** `METHOD /path status`, as the document has them. */
  const seen = new Set<string>()

  /** What is wrong with the type or the value of a body. */
  function wrongBody(answer: ApiAnswer, place: string, type: string | undefined, text: string): string | undefined {
    if (type === undefined || text === '') return answer.content ? 'it has a body' : undefined
    if (!answer.content?.[type]) return `the type ${type} is not there`
    const value = /json/.test(type) ? JSON.parse(text) : text
    return judge(`${place}${pointerOf('content', type, 'schema')}`, value)
  }

  return {
    seen,
    /** What the document does not say of an answer. */
    undescribed(path: string, method: string, { status, headers, text }: Answer): string[] {
      const template = templates.find(({ pattern }) => pattern.test(path.replace(/\?.*/, '')))?.path ?? path
      const found = document.paths[template]?.[method.toLowerCase()]?.responses[status]
      if (!found) return [`${method} ${template} ${status} is not there`]
      seen.add(`${method} ${template} ${status}`)
      const answer = resolved<ApiAnswer>(document, found)
      const known = Object.keys(answer.headers).map(name => name.toLowerCase())
      const others = [...headers.keys()].filter(name => !OF_HTTP.test(name) && !known.includes(name))
      const response = pointerOf('paths', template, method.toLowerCase(), 'responses', String(status))
      const place = '$ref' in found ? found.$ref.slice(1) : response
      const wrong = wrongBody(answer, place, headers.get('content-type')?.split(';')[0], text)
      return [...others.map(name => `the header ${name} is not there`), ...(wrong === undefined ? [] : [wrong])]
    }
  }
}
