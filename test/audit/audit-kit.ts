// Chains as a process writes them, for tests of what reads them.
import { Chain, createSeal } from '../../src/audit/chain.ts'
import { checkpoint, closing, ofRequest, opening } from '../../src/audit/lines.ts'
import type { Anchor } from '../../src/audit/read-chain.ts'
import { Verifier } from '../../src/audit/verify.ts'
import { Secret } from '../../src/lib/secret.ts'

export const SECRET = new Secret('a-secret-of-an-audit-file-in-tests-of-40')
export const seal = createSeal(SECRET)
const EPOCH_MS = Date.parse('2026-11-28T10:00:00.000Z')

export interface Written {
  /** The text of the file. */
  readonly text: string
  readonly anchors: readonly Anchor[]
}

/** Some processes that write one file in turns; each is closed, unless told otherwise. */
export function writeChains(lengths: readonly number[], { isClosed = true } = {}): Written {
  const lines: string[] = []
  const anchors: Anchor[] = []
  let nowMs = EPOCH_MS
  const time = (): string => {
    nowMs += 100
    return new Date(nowMs).toISOString()
  }
  const chains = lengths.map((length, index) => ({ chain: new Chain(`chain-${index}`, seal), length }))
  const add = (chain: Chain, members: string, isAnchor = false): void => {
    lines.push(chain.add(time(), members))
    if (isAnchor) anchors.push({ chain: chain.id, ...chain.state, time: time() })
  }
  for (const [index, { chain }] of chains.entries()) add(chain, openingOf(index), true)
  for (let index = Math.max(...lengths); index-- > 0; ) {
    for (const { chain, length } of chains.filter(one => index < one.length)) {
      if (index % 10 === 9) add(chain, checkpoint(), true)
      add(chain, request(length - index))
    }
  }
  if (isClosed) for (const { chain } of chains) add(chain, closing(), true)
  return { text: `${lines.join('\n')}\n`, anchors }
}

/** Each but the first begins behind the first line of the first. */
function openingOf(index: number): string {
  const after = index === 0 ? undefined : { chain: 'chain-0', seq: 0 }
  return opening({ instance: 'host', pid: 1, version: '1', mode: 'on', after })
}

export function request(index: number): string {
  return ofRequest(
    {
      requestId: `r-${index}`,
      status: 201,
      delivery: 'sent',
      uid: 'alice',
      parentId: '12',
      messageId: `${1000 + index}`
    },
    `auth0|Ålice "${index}"`
  )
}

export function verify(text: string, anchors: readonly Anchor[] = [], encoding: 'utf8' | 'latin1' = 'utf8') {
  const verifier = new Verifier([seal], anchors)
  const lines = Buffer.from(text, encoding).toString('latin1').split('\n')
  const rest = lines.pop() ?? ''
  lines.forEach((line, index) => void verifier.take(line, { file: 'audit.log', line: index + 1 }))
  if (rest !== '') verifier.take(rest, { file: 'audit.log', line: lines.length + 1 }, false)
  return verifier.end()
}
