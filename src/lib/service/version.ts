import { readFileSync } from 'node:fs'

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
)

/** Of this service, as package.json says it. */
export const VERSION: string = manifest.version
