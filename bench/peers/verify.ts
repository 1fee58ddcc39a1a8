// Proves that a peer does what it is compared for, before anything is measured: against an upstream that tells what
// reached it, with tokens of several users and with tokens that must not pass.
import type { Peer } from './peers.ts'
import { type Answer, CONNECTIONS, claimsOf, type Rehearsal, startRehearsal } from './rehearsal.ts'

const USERS = ['alice', 'bob', 'user-7']
const REPLIES_PER_USER = 700

/** Throws an error that names the peer and what it did not do. */
export async function verifyPeer(peer: Peer): Promise<void> {
  try {
    await using stack = new AsyncDisposableStack()
    const rehearsal = await startRehearsal(stack, peer)
    const senderOf = (user: string): string => (peer.verifiesTokens ? user : 'bench')
    await passesReplies(rehearsal, senderOf)
    if (peer.verifiesTokens) await refusesTokens(rehearsal)
    await bearsLoad(rehearsal, senderOf)
  } catch (error) {
    throw new Error(`${peer.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

type SenderOf = (user: string) => string

async function passesReplies({ sign, post }: Rehearsal, senderOf: SenderOf): Promise<void> {
  for (const [index, user] of USERS.entries()) {
    const authorization = `Bearer ${await sign(claimsOf(user))}`
    const parentId = `${index + 1}00`
    const wanted = { sender: senderOf(user), parentId }
    expectAnswer(`a reply of ${user}`, await post(parentId, { authorization }), wanted)
    const forged = { authorization, apikey: 'forged', onBehalfOf: 'mallory' }
    expectAnswer(`a reply of ${user} with forged headers`, await post(parentId, forged), wanted)
  }
}

async function refusesTokens({ upstream, sign, forge, post }: Rehearsal): Promise<void> {
  const claims = claimsOf('alice')
  const [header, payload, signature] = (await sign(claims)).split('.')
  const [, payloadOfAnother] = (await sign(claimsOf('bob'))).split('.')
  const tokens = {
    'an expired token': await sign({ ...claims, exp: Math.floor(Date.now() / 1000) - 60 }),
    'a token for another audience': await sign({ ...claims, aud: 'another' }),
    'a token of another issuer': await sign({ ...claims, iss: 'https://another.example' }),
    'a token signed by another key': await forge(claims),
    'a token with the claims of another': `${header}.${payloadOfAnother}.${signature}`,
    'an unsigned token': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
  }
  const credentials = Object.entries(tokens).map(
    ([name, token]) => [name, { authorization: `Bearer ${token}` }] as const
  )
  for (const [name, headers] of [['no token', {}] as const, ...credentials]) {
    const postsBefore = upstream.posts()
    const { status } = await post('100', headers)
    if (status !== 401) throw new Error(`${name} was answered with ${status} instead of 401.`)
    if (upstream.posts() !== postsBefore) throw new Error(`${name} was refused and yet passed on.`)
  }
}

async function bearsLoad({ upstream, sign, post }: Rehearsal, senderOf: SenderOf): Promise<void> {
  const credentials = await Promise.all(
    USERS.map(async user => ({ sender: senderOf(user), authorization: `Bearer ${await sign(claimsOf(user))}` }))
  )
  // One iterator for all connections, so that each reply is sent once.
  const replies = Array.from({ length: REPLIES_PER_USER }, () => credentials)
    .flat()
    .entries()
  const connectionsBefore = upstream.connections()
  const postOneByOne = async (): Promise<void> => {
    for (const [index, { sender, authorization }] of replies) {
      const parentId = `${index + 1}`
      expectAnswer('one of many', await post(parentId, { authorization }), { sender, parentId })
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, postOneByOne))
  const opened = upstream.connections() - connectionsBefore
  if (opened > 2 * CONNECTIONS) throw new Error(`it opened ${opened} connections instead of keeping them.`)
}

function expectAnswer(what: string, { status, text }: Answer, wanted: object): void {
  const expected = JSON.stringify({ data: wanted })
  if (status >= 200 && status < 300 && text === expected) return
  throw new Error(`${what} was answered with ${status} ${text} instead of ${expected}.`)
}
