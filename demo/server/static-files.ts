// The files of the page: the demo's own, the client as it is published, and the fonts.
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** Where a path of the page begins, and where its files are. */
const FOLDERS: Readonly<Record<string, string>> = {
  '/page/': folder('demo/page/'),
  '/fonts/geist/': folder('node_modules/@fontsource-variable/geist/files/'),
  '/fonts/geist-mono/': folder('node_modules/@fontsource-variable/geist-mono/files/')
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2'
}

export interface StaticFile {
  readonly type: string
  readonly bytes: Buffer
}

/** The file at a path, read each time so that an edit needs a reload alone; undefined where there is none. */
export type FindFile = (pathname: string) => Promise<StaticFile | undefined>

/** `clientFolder` is where the client was built. */
export function createFindFile(clientFolder: string): FindFile {
  const folders = Object.entries({ ...FOLDERS, '/client/': `${clientFolder}/` })
  return async pathname => {
    const [start = '', from = ''] = folders.find(([prefix]) => pathname.startsWith(prefix)) ?? []
    const type = TYPES[extname(pathname)]
    const path = normalize(join(from, pathname.slice(start.length)))
    if (start === '' || type === undefined || !path.startsWith(from)) return undefined
    const bytes = await readFile(path).catch(() => undefined)
    return bytes && { type, bytes }
  }
}
