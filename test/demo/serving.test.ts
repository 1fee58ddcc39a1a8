import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { CURL, startVerbose } from './demo-process.ts'

const bash = (command: string) => promisify(execFile)('bash', ['-c', command])

const demo = await startVerbose(t)
const [curl = ''] = await demo.prints(CURL)

t.test('the curl that is printed posts a reply when it is pasted into bash', async t => {
  const { stdout } = await bash(curl)

  t.match(stdout, /^HTTP\/1\.1 201 /)
  t.match(stdout, '"sender":"alice"')
})

t.test('pasted a second time it gets the first answer again', async t => {
  const { stdout } = await bash(curl)

  t.match(stdout, /^HTTP\/1\.1 201 [\s\S]*\r\nidempotent-replayed: true\r\n/i)
})

t.test('the log line of that reply is shown', async t => {
  const logged = await demo.prints(/(?:\n {2}service \| \{.*"msg":"request"\}[\s\S]*){2}/)

  t.match(logged[0], '"uid":"alice"')
})

t.test('the token in the curl lasts longer than an hour', async t => {
  const [, payload = ''] = /Bearer [\w-]+\.([\w-]+)\.[\w-]+'/.exec(curl) ?? []

  const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: number }

  t.ok(exp - Date.now() / 1000 > 3600)
})

t.test('a token for somebody else posts as somebody else', async t => {
  const [, tokenCommand = ''] = await demo.prints(/(curl -s '.*user=bob')/)

  const { stdout } = await bash(curl.replace(/'(Authorization: Bearer ).*'/, `"$1$(${tokenCommand})"`))

  t.match(stdout, /^HTTP\/1\.1 201 /)
  t.match(stdout, '"sender":"bob"')
})

t.test('the terminal gets no token without a name', async t => {
  const [, issuer = ''] = await demo.prints(/sign-in {6}(\S+)/)

  const withoutUser = await fetch(`${issuer}/token`)

  t.strictSame([withoutUser.status, await withoutUser.text()], [400, 'Say for whom: /token?user=alice.\n'])
})
