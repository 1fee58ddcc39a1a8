// The users, group and messages that the command line starts with.
import type { CometChatEmulator } from './handles.ts'

const USERS = [
  { uid: 'alice', name: 'Alice Andersson' },
  { uid: 'bob', name: 'Bob Brown' },
  { uid: 'carol', name: 'Carol Chen' },
  { uid: 'dave', name: 'Dave, who is in no group' }
]

export function addSampleWorld(emulator: CometChatEmulator): void {
  for (const user of USERS) emulator.addUser(user)
  emulator.addGroup({ guid: 'team', name: 'The team', members: ['alice', 'bob', 'carol'] })
  emulator.addMessage({
    id: '100',
    sender: 'bob',
    receiver: 'alice',
    receiverType: 'user',
    text: 'Shall we ship it on Friday?'
  })
  emulator.addMessage({
    id: '200',
    sender: 'carol',
    receiver: 'team',
    receiverType: 'group',
    text: 'Retro notes are in the usual place.'
  })
}

/** What is served, and a command that works when pasted. */
export function describeSampleWorld({ url, apiKey }: Pick<CometChatEmulator, 'url' | 'apiKey'>): string {
  return `A local CometChat listens on ${url}

  key       ${apiKey}
  users     ${USERS.map(({ uid }) => uid).join(', ')}
  group     team (alice, bob, carol)
  messages  100 from bob to alice, 200 from carol to team

Reply to bob as alice:

  curl -sS ${url}/v3/messages/100/thread \\
    -H 'apikey: ${apiKey}' -H 'onBehalfOf: alice' -H 'Content-Type: application/json' \\
    -d '{"receiver":"bob","receiverType":"user","data":{"text":"Yes, on Friday."}}'

Spoil the next request:  curl -sS ${url}/_emulator/faults -d '"commit-then-500"'
See what was posted:     curl -sS ${url}/_emulator/ledger
`
}
