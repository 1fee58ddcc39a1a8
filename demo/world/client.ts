// The client that the phones use, as an app would get it.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const here = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** Makes the modules that a browser loads, and their declarations, as `packages/client/build.ts` does for a package. */
export async function buildClient(into: string): Promise<void> {
  const args = ['-p', here('packages/client/tsconfig.esm.json'), '--outDir', into]
  await promisify(execFile)(here('node_modules/.bin/tsc'), args)
}
