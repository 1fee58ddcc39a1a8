// A server that is emptied while a handshake with it is under way.
import type { Test } from 'tap'

interface Client {
  open(): Promise<void>
  handshake(): Promise<void>
  close(): void
}

/**
 * Asks for a handshake as soon as the server has answered another one, and is emptied: what that one saw must not do for both.
 * `begin` opens a client whose handshake calls `answered` after the server's answer.
 */
export async function emptiedDuringHandshake(t: Test, message: string, begin: (answered: () => void) => Client) {
  let isOpen = false
  let isEmptied = false
  let during: Promise<unknown> | undefined
  const client = begin(() => {
    if (isEmptied) throw new Error('emptied')
    if (!isOpen) return
    during = client.handshake()
    isEmptied = true
  })
  t.teardown(() => client.close())
  await client.open()
  isOpen = true
  await client.handshake()
  await t.rejects(async () => during, { message })
}
