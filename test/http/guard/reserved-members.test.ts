import t from 'tap'
import { createReservedMembers } from '../../../src/http/guard/reserved-members.ts'

const reservedMembers = createReservedMembers(['marker'])
const pointers = (body: unknown): string[] => reservedMembers(body).map(({ pointer }) => pointer)

t.test('identity, secrets and the marker are found in every spelling', async t => {
  for (const name of ['sender', 'onBehalfOf', 'uid', 'parentId', 'apiKey', 'appId', 'authToken']) {
    const kebab = name.replaceAll(/[A-Z]/g, letter => `-${letter}`)
    for (const spelled of [name, name.toUpperCase(), kebab, kebab.replaceAll('-', '_'), `_${name}-`]) {
      t.same(pointers({ [spelled]: 1 }), [`/${spelled}`], spelled)
      t.same(pointers({ data: { [spelled]: 1 } }), [`/data/${spelled}`], `data: ${spelled}`)
    }
  }
  t.same(pointers({ data: { metadata: { marker: 1, '@injected': {} } } }), [
    '/data/metadata/marker',
    '/data/metadata/@injected'
  ])
  t.same(reservedMembers({ uid: 1 }), [
    { pointer: '/uid', code: 'reserved-name', detail: 'It is not for callers to set.' }
  ])
})

t.test('what belongs to the client has its own names', async t => {
  for (const body of [
    undefined,
    null,
    'sender',
    ['sender'],
    {},
    { receiver: 'bob', receiverType: 'user', uids: ['a'], data: { text: 'sender' } },
    { data: ['uid'] },
    { data: { metadata: { sender: 'a', uid: 'b', Marker: 1 }, customData: { marker: 1, apiKey: 'own' } } },
    { multipleReceivers: { uid: 1 } }
  ]) {
    t.same(pointers(body), [], JSON.stringify(body))
  }
})

t.test('a member that comes from a prototype is none of the body', async t => {
  t.same(pointers(Object.create({ data: { uid: 1 }, sender: 1 })), [])
})

t.test('twenty pointers are enough', async t => {
  const body = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`${'_'.repeat(index)}uid`, 1]))
  t.equal(pointers(body).length, 20)
})
