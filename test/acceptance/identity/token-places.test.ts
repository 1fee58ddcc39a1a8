// A token in the header of a gateway or in a cookie: one credential, and never without proof of origin.
import t from 'tap'
import { isRefusal, startTarget, stillServes } from '../../helpers/target.ts'

const target = await startTarget(t, {
  env: { AUTH_JWT_HEADER: 'X-Goog-Iap-Jwt-Assertion', AUTH_JWT_COOKIE: 'CF_Authorization' }
})
const { alice, bob } = target.tokens
const json = 'Content-Type: application/json'
const proof = 'X-CSRF: 1'
const places = (token: string): string[] => [
  `Authorization: Bearer ${token}`,
  `x-goog-iap-jwt-assertion: ${token}`,
  `Cookie: theme=dark; CF_Authorization=${token}`
]
const pairs = [0, 1, 2].flatMap(one => [0, 1, 2].filter(other => other !== one).map(other => [one, other] as const))
const names = () => target.takePosts().map(({ onBehalfOf }) => onBehalfOf)

t.test('each place is enough, and the same token in several is one credential', async t => {
  const [authorization = '', header = '', cookie = ''] = places(alice)
  for (const lines of [
    [header],
    [cookie],
    [header, cookie],
    [authorization, header],
    [authorization, header, cookie]
  ]) {
    t.equal((await target.send({ lines: [json, proof, ...lines] }))?.status, 201)
    t.same(names(), ['alice'])
  }
  t.equal((await target.send({ lines: [json, authorization] }))?.status, 201, 'which needs no proof where it is alone')
  t.same(names(), ['alice'])
})

t.test('what a browser or a gateway adds is nothing without proof of origin', async t => {
  for (const line of places(alice).slice(1)) {
    isRefusal(t, await target.send({ lines: [json, line] }), 403, 'csrf', 'none')
    for (const evidence of ['Sec-Fetch-Site: cross-site', 'Origin: https://evil.test']) {
      isRefusal(t, await target.send({ lines: [json, line, proof, evidence] }), 403, 'csrf', evidence)
    }
    t.equal((await target.send({ lines: [json, line, 'Sec-Fetch-Site: same-origin'] }))?.status, 201)
    t.same(names(), ['alice'])
  }
})

t.test('two tokens are refused in every pairing and order, and nobody is spoken for', async t => {
  for (const [one, other] of pairs) {
    const lines = [json, proof, places(alice)[one] ?? '', places(bob)[other] ?? '']
    const answer = await target.send({ lines })
    isRefusal(t, answer, 400, 'ambiguous-credentials', lines.map(line => line.slice(0, 20)).join())
    t.notMatch(answer?.body, alice.slice(-20), 'no token is repeated')
  }
  const spoofed = places(alice)[1]?.replace(alice, bob) ?? ''
  const answer = await target.send({ lines: [json, proof, spoofed, places(alice)[1] ?? ''] })
  isRefusal(t, answer, 400, 'ambiguous-credentials', 'a header of the client beside that of the gateway')
  t.same(names(), [])
})

t.test('a token there is verified like any other', async t => {
  for (const line of places(`${alice.slice(0, -4)}AAAA`).slice(1)) {
    isRefusal(t, await target.send({ lines: [json, proof, line] }), 401, 'unauthenticated', line.slice(0, 20))
  }
  t.same(target.emulator.requests, [])
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
