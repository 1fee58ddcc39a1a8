// An app as a recipe describes it: its files behind Vite's own server, with the client in it.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { createServer } from 'vite'

const CLIENT = new URL('../../../packages/client/src/index.ts', import.meta.url).pathname

export interface ViteApp {
  readonly port: number
  /** By path; a `vite.config.ts` among them counts. */
  readonly files: Readonly<Record<string, string>>
}

/** Serves the app at this port of 127.0.0.1 until the test ends. */
export async function startViteApp(t: Test, { port, files }: ViteApp): Promise<void> {
  // Inside the repository: the configuration of an app imports Vite.
  const root = t.testdir({})
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const server = await createServer({
    root,
    configFile: 'vite.config.ts' in files ? join(root, 'vite.config.ts') : false,
    cacheDir: join(root, '.vite'),
    logLevel: 'error',
    resolve: { alias: { 'thread-reply-client': CLIENT } },
    optimizeDeps: { noDiscovery: true },
    server: { host: '127.0.0.1', port, strictPort: true, hmr: false, watch: null, fs: { strict: false } }
  })
  t.teardown(() => server.close())
  await server.listen()
}
