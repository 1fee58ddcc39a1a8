// The client as an app gets it: packed, installed, imported by Node as ES module and CommonJS, checked by TypeScript, and
// built by Vite into an app that a browser runs.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import t, { type Test } from 'tap'
import { build } from 'vite'
import { buildClient } from '../../packages/client/build.ts'
import { launchChromium, needsChromium } from '../helpers/chromium.ts'
import { hostService } from '../helpers/hosted-service.ts'
import { startEmulator } from '../helpers/thread.ts'
import { tokenFor } from '../helpers/tokens.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

t.setTimeout(120_000)

/** A folder with the packed client in its node_modules, and nothing else of ours: it is built, packed and unpacked once. */
const installed = install()

function install(): string {
  const directory = mkdtempSync(join(tmpdir(), 'client-package-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  buildClient()
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', `${ROOT}packages/client`, '--json', '--pack-destination', directory], {
      encoding: 'utf8',
      cwd: directory
    })
  ) as [{ filename: string; files: { path: string }[] }]
  t.same(
    packed.files
      .map(({ path }) => path)
      .filter(path => !/^(README\.md|package\.json|dist\/(esm|cjs)\/[\w-]+\.(d\.ts|js(on)?))$/.test(path)),
    [],
    'nothing else is packed'
  )
  const modules = join(directory, 'node_modules')
  mkdirSync(join(modules, 'thread-reply-client'), { recursive: true })
  execFileSync('tar', [
    'xzf',
    join(directory, packed.filename),
    '--strip-components=1',
    '-C',
    join(modules, 'thread-reply-client')
  ])
  for (const name of ['react', 'react-dom', 'scheduler', '@types'])
    symlinkSync(`${ROOT}node_modules/${name}`, join(modules, name))
  return directory
}

/** A copy of it: each test writes files of its own beside the modules. */
function folderFor(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'client-app-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  cpSync(installed, directory, { recursive: true, verbatimSymlinks: true })
  return directory
}

t.test('Node imports and requires it, of this version and of 20', async t => {
  const directory = folderFor(t)
  const use = `
    const client = api.createThreadReplies({ url: 'http://localhost:9', auth: { cookie: 'include' } })
    client.close()
    console.log(typeof react.useThreadReplies, api.explain({ code: 'rate-limited' }).id, api.fromCometChat({ parentMessageId: 7 }).threadId)`
  writeFileSync(
    join(directory, 'a.mjs'),
    `import * as api from 'thread-reply-client'\nimport * as react from 'thread-reply-client/react'${use}`
  )
  writeFileSync(
    join(directory, 'a.cjs'),
    `const api = require('thread-reply-client')\nconst react = require('thread-reply-client/react')${use}`
  )
  for (const node of [process.execPath, ...(process.env['NODE_20'] ? [process.env['NODE_20']] : [])]) {
    for (const file of ['a.mjs', 'a.cjs']) {
      const said = execFileSync(node, [join(directory, file)], { encoding: 'utf8' })
      t.equal(said.trim(), 'function rate-limited 7', `${node} ${file}`)
    }
  }
})

t.test('its types hold in an app of TypeScript, with DOM and without skipLibCheck', async t => {
  const directory = folderFor(t)
  writeFileSync(
    join(directory, 'app.ts'),
    `import { createThreadReplies, type ReplyState } from 'thread-reply-client'
const client = createThreadReplies({ url: '', auth: { bearer: async () => 'x' }, storage: { getItem: n => localStorage.getItem(n), setItem: (n, v) => localStorage.setItem(n, v), removeItem: n => localStorage.removeItem(n), getAllKeys: () => Object.keys(localStorage) } })
export const words = (state: ReplyState): string => {
  switch (state.is) {
    case 'queued': return state.because
    case 'waiting': return state.code
    case 'unconfirmed': return state.code
    case 'sent': return state.id
    case 'failed': return state.problem.code === 'rate-limited' ? 'wait' : state.problem.delivery
    case 'sending': case 'signed-out': return ''
  }
}
// @ts-expect-error A reply without a body must not compile.
client.send('1')
`
  )
  const options = { strict: true, noEmit: true, target: 'es2022', lib: ['es2022', 'dom'], types: [] }
  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler']
  ]) {
    writeFileSync(
      join(directory, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...options, module, moduleResolution }, files: ['app.ts'] })
    )
    t.doesNotThrow(() =>
      execFileSync(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, '-p', directory], { encoding: 'utf8' })
    )
  }
})

/** What a bare app of React and Vite is: at most 60 lines of its own. */
async function buildApp(t: Test): Promise<string> {
  const directory = folderFor(t)
  cpSync(`${ROOT}test/client/app`, directory, { recursive: true })
  const lines = readFileSync(join(directory, 'src/app.jsx'), 'utf8')
    .split('\n')
    .filter(line => line.trim() !== '')
  t.ok(lines.length <= 60, `${lines.length} lines`)
  await build({ root: directory, configFile: false, logLevel: 'error', oxc: { jsx: { runtime: 'automatic' } } })
  return join(directory, 'dist')
}

/** The files of the app, and the service, at one origin. */
async function serve(t: Test, files: string, service: string): Promise<string> {
  const server = createServer((incoming, answer) => {
    const { method, url = '', headers } = incoming
    if (/^\/(threads|me)\b/.test(url)) {
      const forwarded = request(new URL(url, service), { method, headers }, reply => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(answer)
      })
      return void incoming.pipe(forwarded)
    }
    const path = url.startsWith('/assets/') ? url : '/index.html'
    answer.setHeader('content-type', TYPES[extname(path)] ?? 'text/plain').end(readFileSync(files + path))
  })
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

t.test('an app of React and Vite shows, sends, edits and watches a thread', needsChromium(), async t => {
  const { emulator, env, parentId } = await startEmulator(t)
  const [files, service, browser] = await Promise.all([buildApp(t), hostService(t, env), launchChromium(t)])
  const page = await browser.newPage()
  await page.goto(`${await serve(t, files, service.url)}/?threadId=${parentId}&token=${await tokenFor('alice')}`)
  await page.fill('input', 'Helo')
  await page.click('button:text("Send")')
  await page.getByText('alice: Helo').waitFor()
  t.match(emulator.ledger, [{ onBehalfOf: 'alice' }])

  page.once('dialog', dialog => void dialog.accept('Hello'))
  await page.click('button:text("edit")')
  await page.getByText('alice: Hello').waitFor()
  t.equal(await page.getByText('Hel').count(), 1, 'shown once')

  // As somebody else writes: the thread is watched.
  emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user', text: 'Hi Alice', parentId })
  await page.getByText('bob: Hi Alice').waitFor({ timeout: 30_000 })
})
