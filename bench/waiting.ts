// Callers that wait: a connection and a reply each, all at once.
import { connect, type Socket } from 'node:net'
import type { LoadPlan } from './load.ts'

export interface Waiting {
  /** How many have an answer by now. */
  answers(): number
  /** Resolves once each has its answer, whatever it is, and every connection is gone. */
  readonly answered: Promise<unknown>
}

const AT_ONCE = 100
/** What a browser sends besides. */
const BROWSER =
  'accept: application/json\r\naccept-language: en-GB,en;q=0.9\r\norigin: https://app.example\r\n' +
  'user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n'

export async function openWaiting(port: number, count: number, plan: Omit<LoadPlan, 'port'>): Promise<Waiting> {
  if ('count' in plan.users) throw new Error('it takes users with a token each')
  const { users, body } = plan
  const answers: Promise<void>[] = []
  let answered = 0
  const onAnswer = (): void => {
    answered++
  }
  for (let index = 0; index < count; index++) {
    const head = `POST /threads/${index + 1}/replies HTTP/1.1\r\nhost: 127.0.0.1\r\n${BROWSER}`
    const token = users[index % users.length]?.token
    const rest = `authorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`
    const socket = connect({ port, host: '127.0.0.1' })
    answers.push(answerOn(socket, onAnswer))
    socket.write(`${head}${rest}\r\n\r\n${body}`)
    // No more than the backlog of the port takes.
    if (index % AT_ONCE === AT_ONCE - 1) await new Promise(resolve => socket.once('connect', resolve))
  }
  return { answers: () => answered, answered: Promise.all(answers) }
}

function answerOn(socket: Socket, onAnswer: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.once('data', () => {
      onAnswer()
      socket.destroy()
    })
    socket.once('close', () => resolve())
  })
}
