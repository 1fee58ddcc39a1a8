// Files of secrets: one that is emptied or taken away is a warning and changes nothing, and what is not followed is said.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import type { LogLine } from '../../helpers/service-lines.ts'
import { runService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { SHARED_SECRET } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'

const { emulator, env, parentId } = await startEmulator(t)
const directory = t.testdir({})
const [keyFile, secretFile] = [join(directory, 'key'), join(directory, 'secret')]

t.test('the files of keys that are followed', async t => {
  writeFileSync(keyFile, emulator.apiKey)
  writeFileSync(secretFile, SHARED_SECRET)
  const service = await hostService(t, {
    ...env,
    COMETCHAT_API_KEY: undefined,
    COMETCHAT_API_KEY_FILE: keyFile,
    AUTH_JWT_SECRET: undefined,
    AUTH_JWT_SECRET_FILE: secretFile
  })
  const told = (from: number): LogLine[] =>
    service
      .logLines()
      .slice(from)
      .filter(({ level, msg }) => msg !== 'request' && level !== 'debug')

  for (const [title, file, change, levels] of [
    ['an emptied key of CometChat', keyFile, () => writeFileSync(keyFile, ''), ['warn']],
    ['a key of CometChat that is taken away', keyFile, () => rmSync(keyFile), ['warn']],
    ['a key of CometChat that comes back', keyFile, () => writeFileSync(keyFile, emulator.apiKey), ['info']],
    ['an emptied secret of tokens', secretFile, () => writeFileSync(secretFile, ''), ['warn', 'error']],
    ['a secret of tokens that is taken away', secretFile, () => rmSync(secretFile), ['warn', 'error']]
  ] as const) {
    await t.test(`${title} is told, and replies go on`, async t => {
      const before = service.logLines().length
      change()
      const [line] = await until(
        () => told(before),
        lines => lines.length > 0
      )

      t.ok((levels as readonly unknown[]).includes(line?.['level']), `${file}: ${JSON.stringify(line)}`)
      t.notMatch(JSON.stringify(line), directory)
      t.equal((await postReply(service, { parentId })).status, 201)
    })
  }
})

t.test('a secret whose file is not followed is named at the start', async t => {
  writeFileSync(keyFile, emulator.apiKey)
  writeFileSync(secretFile, SHARED_SECRET)
  const storeSecret = join(directory, 'store-secret')
  const storeUrl = join(directory, 'store-url')
  writeFileSync(storeSecret, 's'.repeat(32))
  writeFileSync(storeUrl, `file:${join(directory, 'replies.db')}`)
  const { exitCode, output } = await runService(
    {
      ...env,
      COMETCHAT_API_KEY: undefined,
      COMETCHAT_API_KEY_FILE: keyFile,
      AUTH_JWT_SECRET: undefined,
      AUTH_JWT_SECRET_FILE: secretFile,
      STORE_URL: undefined,
      STORE_SECRET_FILE: storeSecret,
      STORE_URL_FILE: storeUrl
    },
    ['--check-config']
  )

  t.equal(exitCode, 0)
  for (const name of ['STORE_SECRET_FILE', 'STORE_URL_FILE']) {
    t.match(output, `${name} is read at the start only: what changes in it counts after a restart.`)
  }
  for (const name of ['COMETCHAT_API_KEY_FILE', 'AUTH_JWT_SECRET_FILE']) t.notMatch(output, `${name} is read`)
})
