// Callers that post one reply after the other through the balancer, most of them with an Idempotency-Key.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'undici'
import { tokenFor } from '../helpers/tokens.ts'

export interface LoadOptions {
  readonly url: string
  readonly parentId: string
  readonly callers: number
  readonly random: () => number
}

export interface Failure {
  readonly isKeyed: boolean
  /** The status and the code of the answer, or why there was none. */
  readonly why: string
}

const LONGEST_PAUSE_MS = 40
/** Of four replies one has no key: a balancer must not send it twice. */
const UNKEYED_SHARE = 0.25

/** A round of load: it goes on until it is told to stop. */
export class Load {
  readonly #options: LoadOptions
  readonly #callers: Promise<void>[] = []
  #isOver = false
  /** The texts of the replies that were told as sent: each is its own. */
  readonly sent: string[] = []
  readonly failures: Failure[] = []

  constructor(options: LoadOptions) {
    this.#options = options
  }

  async begin(): Promise<void> {
    const token = await tokenFor('alice')
    for (let caller = 0; caller < this.#options.callers; caller++) this.#callers.push(this.#post(token))
  }

  /** Resolves when what is under way is answered. */
  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#callers)
  }

  async #post(token: string): Promise<void> {
    const { url, parentId, random } = this.#options
    const client = new Client(url)
    while (!this.#isOver) {
      const text = randomUUID()
      const isKeyed = random() >= UNKEYED_SHARE
      const why = await postOne(client, `/threads/${parentId}/replies`, token, text, isKeyed)
      if (why === undefined) this.sent.push(text)
      else this.failures.push({ isKeyed, why })
      await sleep(random() * LONGEST_PAUSE_MS)
    }
    await client.close()
  }
}

/** Undefined when the reply was sent, else why it was not. */
async function postOne(client: Client, path: string, token: string, text: string, isKeyed: boolean) {
  try {
    const { statusCode, body } = await client.request({
      method: 'POST',
      path,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...(isKeyed && { 'idempotency-key': text })
      },
      body: JSON.stringify({ data: { text } })
    })
    const answer = await body.text()
    return statusCode === 201
      ? undefined
      : `${statusCode} ${/"code":"([a-z-]+)"/.exec(answer)?.[1] ?? 'of the balancer'}`
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}
