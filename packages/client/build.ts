// Makes dist/ from src/: ES modules and CommonJS, each with its declarations. Types go, nothing else changes; who bundles
// has the modules as they were written. Node runs no TypeScript below node_modules, so this is what is packed.
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The compiler of the repository, once for each kind of module. */
export function buildClient(into = here('dist')): void {
  rmSync(into, { recursive: true, force: true })
  for (const kind of ['esm', 'cjs']) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        here('../../node_modules/typescript/bin/tsc'),
        '-p',
        here(`tsconfig.${kind}.json`),
        '--outDir',
        `${into}/${kind}`
      ],
      { encoding: 'utf8' }
    )
    if (status !== 0) throw new Error(`The client cannot be built:\n${stdout}${stderr}`)
  }
  // The compiler leaves them as they are there, and not every one that reads them finds a .ts.
  for (const file of globSync(`${into}/*/*.d.ts`)) {
    writeFileSync(file, readFileSync(file, 'utf8').replace(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"))
  }
  writeFileSync(`${into}/cjs/package.json`, '{ "type": "commonjs" }\n')
}

if (import.meta.main) buildClient()
