// Which page is the own one: Host and Origin are compared as origins, and a proxy in front may say what both were.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { startTarget, stillServes, type Target } from '../../helpers/target.ts'

const env = { AUTH_JWT_COOKIE: 'token', CORS_ORIGINS: 'https://app.example.com' }
const direct = await startTarget(t, { env })
const cometchat = { COMETCHAT_BASE_URL: direct.emulator.url, COMETCHAT_API_KEY: direct.emulator.apiKey }
const { url: behindUs } = await hostService(t, { ...env, ...cometchat, TRUST_PROXY: '127.0.0.0/8' })
const { url: behindOthers } = await hostService(t, { ...env, ...cometchat, TRUST_PROXY: '10.0.0.1' })

type Case = readonly [origin: string, host: string, forwarded?: string]

/** The code of the answer to a page's call with a cookie, which has every other proof; `posted` for a 201. */
async function verdict([origin, host, forwarded = '']: Case, url = direct.service.url): Promise<string> {
  const lines = forwarded === '' ? [] : forwarded.split('; ')
  const cookie = `Cookie: token=${direct.tokens.alice}`
  const answer = await sendTo(url, [
    `Host: ${host}`,
    `Origin: ${origin}`,
    cookie,
    'Content-Type: application/json',
    'X-CSRF: 1',
    ...lines
  ])
  return answer?.status === 201 ? 'posted' : String(answer?.json?.code)
}

function sendTo(url: string, lines: readonly string[]): ReturnType<Target['send']> {
  return direct.send({ lines, host: false, url })
}

const OWN: readonly Case[] = [
  ['https://chat.example.com', 'chat.example.com'],
  ['https://chat.example.com', 'chat.example.com:443'],
  ['http://chat.example.com', 'chat.example.com:80'],
  ['https://chat.example.com', 'Chat.EXAMPLE.com'],
  ['https://chat.example.com', 'chat.example.com.'],
  ['https://chat.example.com', 'CHAT.example.com.:443'],
  ['https://chat.example.com.', 'chat.example.com'],
  ['https://chat.example.com:8443', 'chat.example.com:8443'],
  ['http://localhost:3000', 'LOCALHOST:3000'],
  ['http://[::1]:3000', '[::1]:3000'],
  ['https://app.example.com', 'chat.example.com']
]

const FOREIGN: readonly Case[] = [
  ['https://chat.example.com', 'chat.example.com:8443'],
  ['https://chat.example.com:8443', 'chat.example.com'],
  ['https://chat.example.com:80', 'chat.example.com'],
  ['http://chat.example.com', 'chat.example.com:443'],
  ['https://chat.example.com', 'chat.example.com:80'],
  ['https://chat.example.com.evil.test', 'chat.example.com'],
  ['https://chat.example.com', 'chat.example.com.evil.test'],
  ['https://evilchat.example.com', 'chat.example.com'],
  ['https://example.com', 'chat.example.com'],
  ['https://chat.example.com..', 'chat.example.com'],
  ['null', 'chat.example.com'],
  ['https://evil.test', 'evil.test@chat.example.com'],
  ['https://chat.example.com', 'evil.test@chat.example.com'],
  ['https://chat.example.com@evil.test', 'chat.example.com'],
  ['https://chat.example.com/', 'chat.example.com'],
  ['ftp://chat.example.com', 'chat.example.com'],
  ['chat.example.com', 'chat.example.com'],
  ['https://app.example.com:8443', 'chat.example.com'],
  ['http://app.example.com', 'chat.example.com']
]

t.test('default ports, capitals and a final dot make no other origin, and everything else does', async t => {
  for (const one of OWN) t.equal(await verdict(one), 'posted', one.join(' at '))
  for (const one of FOREIGN) t.equal(await verdict(one), 'csrf', one.join(' at '))
})

const FORWARDED_OWN: readonly Case[] = [
  ['https://chat.example.com', 'bff.internal:3000', 'X-Forwarded-Host: chat.example.com; X-Forwarded-Proto: https'],
  ['https://chat.example.com', 'bff.internal:3000', 'X-Forwarded-Host: Chat.example.com:443'],
  ['https://chat.example.com', 'bff.internal:3000', 'X-Forwarded-Host: evil.test, chat.example.com'],
  ['https://chat.example.com', 'chat.example.com', 'X-Forwarded-Proto: https'],
  ['https://chat.example.com', 'chat.example.com', 'X-Forwarded-Proto: http, HTTPS'],
  ['http://chat.example.com', 'chat.example.com', 'X-Forwarded-Proto: http'],
  ['https://chat.example.com', 'chat.example.com']
]

const FORWARDED_FOREIGN: readonly Case[] = [
  ['https://bff.internal:3000', 'bff.internal:3000', 'X-Forwarded-Host: chat.example.com'],
  ['https://evil.test', 'bff.internal:3000', 'X-Forwarded-Host: evil.test, chat.example.com'],
  ['http://chat.example.com', 'chat.example.com', 'X-Forwarded-Proto: https'],
  ['https://chat.example.com', 'chat.example.com', 'X-Forwarded-Proto: http'],
  ['https://chat.example.com', 'bff.internal', 'X-Forwarded-Host: chat.example.com:8443'],
  ['https://chat.example.com', 'bff.internal', 'X-Forwarded-Host: chat.example.com.evil.test'],
  ['https://chat.example.com', 'bff.internal', 'X-Forwarded-Host: x@chat.example.com'],
  ['https://chat.example.com', 'bff.internal', 'X-Forwarded-Proto: https']
]

t.test('behind a proxy of TRUST_PROXY its X-Forwarded-Host and -Proto count', async t => {
  for (const one of FORWARDED_OWN) t.equal(await verdict(one, behindUs), 'posted', one.join(' at '))
  for (const one of FORWARDED_FOREIGN) t.equal(await verdict(one, behindUs), 'csrf', one.join(' at '))
})

t.test('from outside they count for nothing, neither for a call nor against one', async t => {
  for (const url of [direct.service.url, behindOthers]) {
    for (const [origin, forwarded] of [
      ['https://evil.test', 'X-Forwarded-Host: evil.test'],
      ['https://evil.test', 'X-Forwarded-Host: evil.test; X-Forwarded-For: 10.0.0.1'],
      ['https://chat.example.com:8443', 'X-Forwarded-Host: chat.example.com:8443']
    ] as const) {
      t.equal(await verdict([origin, 'chat.example.com', forwarded], url), 'csrf', `${origin}, ${forwarded}`)
    }
    for (const forwarded of ['X-Forwarded-Host: evil.test', 'X-Forwarded-Proto: http', 'X-Forwarded-For: 10.0.0.1']) {
      t.equal(await verdict(['https://chat.example.com', 'chat.example.com', forwarded], url), 'posted', forwarded)
    }
  }
})

t.test('an own origin is no proof by itself, and a cross-site call never passes', async t => {
  const lines = [
    'Host: chat.example.com:443',
    'Origin: https://chat.example.com',
    `Cookie: token=${direct.tokens.alice}`,
    'Content-Type: application/json'
  ]
  t.equal((await sendTo(direct.service.url, lines))?.json?.code, 'csrf')
  t.equal((await sendTo(direct.service.url, [...lines, 'Sec-Fetch-Site: same-origin']))?.status, 201)
  const crossSite = [...lines, 'Sec-Fetch-Site: cross-site', 'X-CSRF: 1']
  t.equal((await sendTo(direct.service.url, crossSite))?.json?.code, 'csrf')
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, direct))
