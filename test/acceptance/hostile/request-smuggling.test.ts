import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type HostileAnswer, hostileBytes } from '../../helpers/hostile-client.ts'
import { isRefusal, startTarget, stillServes } from '../../helpers/target.ts'

const target = await startTarget(t)
const body = target.goodBody('first')
const size = body.length.toString(16)
const sized = `Content-Length: ${body.length}`
const chunks = 'Transfer-Encoding: chunked'
const chunked = `${size}\r\n${body}\r\n0\r\n\r\n`
/** A whole reply of another user: nobody may ever be made to send it by what stands before it. */
const smuggled = requestOf('bob', 'smuggled')

function requestOf(user: 'alice' | 'bob' | 'carol', text: string): string {
  const lines = target.goodLines(user)
  return hostileBytes({
    target: `/threads/${target.groupParentId}/replies`,
    lines,
    body: target.goodBody(text)
  }).toString()
}

function headOf(...lines: string[]): string {
  return [`POST ${target.path} HTTP/1.1`, 'Host: service.test', ...target.goodLines(), ...lines, '', ''].join('\r\n')
}

const posts = (): string[] =>
  target.takePosts().map(({ onBehalfOf, message }) => `${onBehalfOf}: ${message.data['text']}`)

/** Sends bytes, each part after a pause, and resolves once the connection has ended or `count` answers are there. */
async function answersTo(
  t: Test,
  parts: readonly string[],
  count = 99
): Promise<{ answers: HostileAnswer[]; hasEnded: boolean }> {
  const client = target.open(t)
  for (const [index, part] of parts.entries()) {
    if (index > 0) await sleep(100)
    client.send(Buffer.from(part, 'latin1'))
  }
  const answers = await client.waitForAnswers(count, 1500)
  const hasEnded = await client.ended(count === 99 ? 0 : 20)
  client.socket.destroy()
  return { answers, hasEnded }
}

t.test('a request whose end two readers could see in two places is refused, and its connection ends', async t => {
  const attacks: Record<string, string> = {
    'length and chunks': headOf(sized, chunks) + chunked,
    'chunks and length': headOf(chunks, sized) + chunked,
    'length and chunks, a request behind the first chunk': `${headOf('Content-Length: 4', chunks)}0\r\n\r\n`,
    'two lengths': headOf(sized, 'Content-Length: 0') + body,
    'the same length twice': headOf(sized, sized) + body,
    'a list of lengths': headOf(`${sized}, ${body.length}`) + body,
    'a length with a sign': headOf(`Content-Length: +${body.length}`) + body,
    'a negative length': headOf('Content-Length: -1') + body,
    'a length in hexadecimal': headOf(`Content-Length: 0x${size}`) + body,
    'a length and a blank': headOf(`${sized} 1`) + body,
    'an empty length': headOf('Content-Length:') + body,
    'a length beyond any number': headOf('Content-Length: 99999999999999999999999') + body,
    'an unknown coding': headOf('Transfer-Encoding: xchunked') + chunked,
    'chunks that are not last': headOf('Transfer-Encoding: chunked, identity') + chunked,
    'a coding under the chunks': headOf('Transfer-Encoding: gzip, chunked') + chunked,
    identity: headOf('Transfer-Encoding: identity', sized) + body,
    'chunks twice': headOf(chunks, chunks) + chunked,
    'chunks twice in one header': headOf('Transfer-Encoding: chunked, chunked') + chunked,
    'chunks and something else': headOf(chunks, 'Transfer-Encoding: identity') + chunked,
    'chunks in quotes': headOf('Transfer-Encoding: "chunked"') + chunked,
    'chunks behind a vertical tab': headOf('Transfer-Encoding: \x0bchunked') + chunked,
    'chunks with a parameter': headOf('Transfer-Encoding: chunked;q=1') + chunked,
    'an empty coding': headOf('Transfer-Encoding:', sized) + body,
    'a blank before the colon': headOf('Transfer-Encoding : chunked') + chunked,
    'a folded line': headOf('Transfer-Encoding:\r\n chunked') + chunked,
    'a folded line elsewhere': headOf('X-A: b\r\n c', sized) + body,
    'line feeds alone': headOf(sized).replaceAll('\r\n', '\n') + body,
    'one line feed alone': headOf('X: a\nContent-Length: 0', sized) + body,
    'a carriage return alone': headOf('X: a\rContent-Length: 0', sized) + body,
    'a line without a colon': headOf('Xa', sized) + body,
    'a line that begins with a blank': headOf(' X: a', sized) + body,
    'a line without a name': headOf(': a', sized) + body,
    'NUL in a value': headOf('X: a\0b', sized) + body,
    'NUL in a name': headOf('X\0: a', sized) + body,
    'blanks before the method': ` ${headOf(sized)}${body}`,
    'a proxy announcement': `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${headOf(sized)}${body}`,
    'a chunk ended by a line feed': `${headOf(chunks)}${size}\n${body}\n0\n\n`,
    'chunk data ended by a line feed': `${headOf(chunks)}${size}\r\n${body}\n0\r\n\r\n`,
    'a chunk size with a prefix': `${headOf(chunks)}0x${size}\r\n${body}\r\n0\r\n\r\n`,
    'a negative chunk': `${headOf(chunks)}-1\r\n${body}\r\n0\r\n\r\n`,
    'a chunk size and a blank': `${headOf(chunks)}${size} \r\n${body}\r\n0\r\n\r\n`,
    'a chunk of more than there is': `${headOf(chunks)}fffffffffffffffff\r\n${body}\r\n0\r\n\r\n`,
    'a chunk of less than there is': `${headOf(chunks)}${(body.length - 3).toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    'a chunk extension with a line feed': `${headOf(chunks)}${size};a\nb\r\n${body}\r\n0\r\n\r\n`,
    'an endless chunk extension': `${headOf(chunks)}${size};${'a'.repeat(60_000)}\r\n${body}\r\n0\r\n\r\n`,
    'a length among the trailers': `${headOf(chunks)}${size}\r\n${body}\r\n0\r\nContent-Length: 5\r\n\r\n`,
    binary: '\x00\x01\x02\xff\xfe\r\n\r\n',
    'a TLS hello': `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${'a'.repeat(200)}`,
    'an SSH hello': 'SSH-2.0-OpenSSH_9.2\r\n'
  }

  for (const [name, bytes] of Object.entries(attacks)) {
    const { answers, hasEnded } = await answersTo(t, [bytes + smuggled])
    t.equal(answers.length, 1, `${name}: one answer`)
    isRefusal(t, answers[0], 400, 'malformed-request', name)
    t.ok(hasEnded, `${name}: the connection ends`)
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('unusual but clear requests are read as they are meant, and what follows them is its own request', async t => {
  const requests: Record<string, string> = {
    'chunks in capitals': headOf('Transfer-Encoding: CHUNKED') + chunked,
    'chunks behind a tab': headOf('Transfer-Encoding:\tchunked') + chunked,
    'a chunk extension': `${headOf(chunks)}${size};a=b\r\n${body}\r\n0\r\n\r\n`,
    'leading zeros': `${headOf(chunks)}0000${size}\r\n${body}\r\n000\r\n\r\n`,
    'one byte a chunk': `${headOf(chunks)}${[...body].map(byte => `1\r\n${byte}\r\n`).join('')}0\r\n\r\n`,
    'an empty line before': `\r\n${headOf(sized)}${body}`,
    'a header that only looks like a coding': headOf('Transfer_Encoding: chunked', sized) + body,
    'an expectation': headOf('Expect: 100-continue', sized) + body
  }

  for (const [name, bytes] of Object.entries(requests)) {
    const { answers } = await answersTo(t, [bytes + smuggled], 2)
    t.same(
      answers.map(({ status, json }) => `${status} ${json.data.sender}`),
      ['201 alice', '201 bob'],
      name
    )
    t.same(posts().sort(), ['alice: first', 'bob: smuggled'], name)
  }
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
