// Sends the replies, proves that each was posted once, and reads what they cost.
import { randomUUID } from 'node:crypto'
import { Pool } from 'undici'
import { tokenFor } from '../test/helpers/tokens.ts'
import { nameOf, type Parts, type Variant } from './variants.ts'

export interface RoundsOptions {
  readonly requests: number
  readonly rounds: number
  readonly stopping: AbortSignal
  readonly onProgress: (text: string) => void
}

export interface Cost {
  readonly variant: Variant
  /** Microseconds of CPU per reply, one figure a round. */
  readonly figures: readonly number[]
}

type SendReply = () => Promise<void>

const CONNECTIONS = 64
/** With its receiver, so that the parent is never read. */
const BODY = JSON.stringify({ receiver: 'bob', receiverType: 'user', data: { text: 'Yes, on Friday at ten.' } })
const TOKEN_SECONDS = 24 * 3600
/** A reply costs less and less until V8 has compiled what it needs: for some 25,000 of them, measured on Node 24. */
const WARM_UP_ROUNDS = 3

/** How many rounds come before those that count. */
export function warmUpRounds(rounds: number): number {
  return Math.min(rounds, WARM_UP_ROUNDS)
}

/** Every variant takes its turn in every round; throws when a reply is not 201, or not posted exactly once. */
export async function runRounds(
  stack: AsyncDisposableStack,
  { upstream, variants }: Parts,
  { requests, rounds, stopping, onProgress }: RoundsOptions
): Promise<readonly Cost[]> {
  const token = await tokenFor('alice', { claims: { exp: Math.floor(Date.now() / 1000) + TOKEN_SECONDS } })
  const lanes = variants.map(variant => ({
    variant,
    send: createSender(stack, variant, token),
    figures: [] as number[]
  }))
  for (let round = 1 - warmUpRounds(rounds); round <= rounds; round++) {
    // There and back: what slows the machine down for a while does not always meet the same ones.
    for (const { variant, send, figures } of round % 2 === 0 ? lanes : lanes.toReversed()) {
      onProgress(`${round < 1 ? 'warming up' : `round ${round} of ${rounds}`}: ${nameOf(variant)}`)
      const [usedBefore, postsBefore] = await Promise.all([variant.service.ask(), upstream.ask()])
      await sendAll(send, requests, stopping)
      const [used, posts] = await Promise.all([variant.service.ask(), upstream.ask()])
      checkPosts(variant, posts - postsBefore, requests)
      if (round > 0) figures.push((used - usedBefore) / requests)
    }
  }
  return lanes
}

function createSender(stack: AsyncDisposableStack, variant: Variant, token: string): SendReply {
  const pool = new Pool(variant.service.url, { connections: CONNECTIONS, pipelining: 1 })
  stack.defer(() => pool.destroy())
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return async () => {
    const answer = await pool.request({
      method: 'POST',
      path: '/threads/100/replies',
      headers: variant.keyed ? { ...headers, 'idempotency-key': randomUUID() } : headers,
      body: BODY
    })
    const text = await answer.body.text()
    if (answer.statusCode !== 201) throw new Error(`${nameOf(variant)}: a reply was ${answer.statusCode}: ${text}`)
  }
}

async function sendAll(send: SendReply, requests: number, stopping: AbortSignal): Promise<void> {
  let left = requests
  const sendOneByOne = async (): Promise<void> => {
    try {
      while (left-- > 0 && !stopping.aborted) await send()
    } finally {
      // The first failure ends the others, too.
      left = 0
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, sendOneByOne))
  stopping.throwIfAborted()
}

function checkPosts(variant: Variant, posts: number, requests: number): void {
  if (posts !== requests) throw new Error(`${nameOf(variant)}: ${posts} posts for ${requests} replies.`)
}
