// What an app's bundle grows by: minified and compressed as a web server would.
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { build, type Rollup } from 'vite'

const SOURCE = new URL('../../packages/client/src/', import.meta.url).pathname
const MOST_BYTES = 5888

async function bytesOf(code: string): Promise<number> {
  const built = (await build({
    configFile: false,
    logLevel: 'silent',
    publicDir: false,
    plugins: [{ name: 'app', resolveId: id => (id === 'app' ? id : null), load: id => (id === 'app' ? code : null) }],
    build: {
      write: false,
      minify: true,
      target: 'es2022',
      modulePreload: false,
      rollupOptions: { input: 'app', external: ['react'] }
    }
  })) as Rollup.RollupOutput
  const [{ code: written }] = built.output
  return gzipSync(written, { level: 9 }).length
}

t.test('the core is at most 5.75 KiB, minified and gzipped', async t => {
  const core = await bytesOf(`import { createThreadReplies } from '${SOURCE}index.ts'; window.it = createThreadReplies`)
  const all = await bytesOf(`import * as all from '${SOURCE}index.ts'; window.it = all`)
  t.comment(`core ${core} B, with explain and fromCometChat ${all} B, minified and gzipped`)
  t.ok(core <= MOST_BYTES, `${core} B`)
  t.ok(core > 1000, 'it is in it')
})
