// What documents show in TypeScript for apps compiles, as strictly as an app may want it.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { blockOf } from '../../helpers/recipes.ts'

const ROOT = new URL('../../../', import.meta.url).pathname
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** What is the app's own in the samples. */
const OF_THE_APP = `import type { ReplyState } from 'thread-reply-client'
declare global {
  const session: { accessToken(): Promise<string> }
  function draw(key: string, text: string | undefined, state: ReplyState): void
}
`
const AUTH = 'export declare function accessToken(options: { readonly isNew: boolean }): Promise<string>\n'

/** As their packages declare them (async-storage 2.2, netinfo 12, react-native 0.76), as far as it is used. */
const NATIVE = `declare module '@react-native-async-storage/async-storage' {
  type Callback = (error?: Error | null) => void
  type CallbackWithResult<T> = (error?: Error | null, result?: T | null) => void
  const AsyncStorage: {
    getItem: (key: string, callback?: CallbackWithResult<string>) => Promise<string | null>
    setItem: (key: string, value: string, callback?: Callback) => Promise<void>
    removeItem: (key: string, callback?: Callback) => Promise<void>
    getAllKeys: (callback?: CallbackWithResult<readonly string[]>) => Promise<readonly string[]>
  }
  export default AsyncStorage
}
declare module '@react-native-community/netinfo' {
  const NetInfo: { addEventListener(listener: (state: { isConnected: boolean | null }) => void): () => void }
  export default NetInfo
}
declare module 'react-native' {
  type AppStateStatus = 'active' | 'background' | 'inactive' | 'unknown' | 'extension'
  export const AppState: {
    addEventListener(type: 'change', listener: (state: AppStateStatus) => void): { remove(): void }
  }
}
`

t.setTimeout(100_000)

t.test('every sample in TypeScript compiles', t => {
  const apps = read('docs/apps.md')
  const named = Array.from(apps.matchAll(/<!-- file: (.+\.ts) -->/g), ([, name = '']) => name)
  const folders = ['token', 'session', 'login', 'lan', 'native']
  t.same([...new Set(named.map(name => name.split(' ')[0]))].sort(), ['src/thread.ts', ...folders].sort())

  const directory = t.testdir({})
  const write = (path: string, text: string): string => {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
    return path
  }
  const samples = named.map(name => write(name.replace(' ', '/'), blockOf(apps, `file: ${name}`)))
  for (const folder of ['token/src', 'session/src', 'lan/src', 'native']) {
    write(`${folder}/auth.d.ts`, AUTH)
    write(`${folder}/thread.ts`, blockOf(apps, 'file: src/thread.ts'))
  }
  samples.push(write('delivery/main.ts', blockOf(read('docs/delivery.md'), 'file: src/main.ts')))
  const blocks = read('packages/client/README.md').matchAll(/^```(tsx?)\n([\s\S]*?)^```$/gm)
  for (const [index, [, kind, text = '']] of [...blocks].entries())
    samples.push(write(`readme/${index}.${kind}`, `${text}\nexport {}\n`))
  write('app.d.ts', OF_THE_APP)
  write('native.d.ts', NATIVE)
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        noUncheckedIndexedAccess: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: true,
        target: 'es2023',
        module: 'esnext',
        moduleResolution: 'bundler',
        lib: ['es2023', 'dom', 'dom.iterable'],
        jsx: 'react-jsx',
        types: [],
        allowImportingTsExtensions: true,
        paths: {
          'thread-reply-client': [`${ROOT}packages/client/src/index.ts`],
          'thread-reply-client/react': [`${ROOT}packages/client/src/react.ts`]
        }
      },
      files: [...samples, 'app.d.ts', 'native.d.ts']
    })
  )

  let said = ''
  try {
    execFileSync(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, '-p', directory], { encoding: 'utf8' })
  } catch (error) {
    said = String((error as { stdout?: string }).stdout)
  }

  t.equal(said, '')
  t.end()
})
