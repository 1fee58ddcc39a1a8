// Bodies of requests and answers as they are told between an app and this service.

const SENT = {
  id: '1000',
  conversationId: 'alice_user_bob',
  sender: 'alice',
  receiver: 'bob',
  receiverType: 'user',
  category: 'message',
  type: 'text',
  data: { text: 'Hello!' },
  parentId: '100',
  sentAt: 1_795_910_400,
  updatedAt: 1_795_910_400
}
const PARENT = {
  ...SENT,
  id: '100',
  sender: 'bob',
  receiver: 'alice',
  data: { text: 'Hi' },
  parentId: undefined,
  replyCount: 1
}
const PICTURE = {
  url: 'https://files.example.com/a/cat.png?sig=4f1c',
  name: 'cat.png',
  mimeType: 'image/png',
  extension: 'png',
  size: 48_213
}
const { data: _, ...REST } = SENT
const TOMBSTONE = { ...REST, deletedAt: 1_795_910_460, deletedBy: 'alice' }

/** One of each kind of message, and what may be beside it. */
export const REPLIES = {
  text: { data: { text: 'Hello!' } },
  'text with everything': {
    receiver: 'bob',
    receiverType: 'user',
    category: 'message',
    type: 'text',
    data: { text: 'Hello <@uid:bob>!', metadata: { color: 'green' } },
    tags: ['pinned'],
    muid: '_5zytzmceo',
    quotedMessageId: '99'
  },
  'several receivers': { data: { text: 'Hello!' }, multipleReceivers: { uids: ['carol'], guids: ['team'] } },
  image: { type: 'image', data: { text: 'A cat', attachments: [PICTURE] } },
  'file by its address': { type: 'file', data: { url: 'https://files.example.com/a/report.pdf' } },
  custom: { category: 'custom', type: 'poll', data: { customData: { question: 'Tea?', answers: ['yes', 'no'] } } },
  interactive: {
    category: 'interactive',
    type: 'form',
    data: { interactiveData: { title: 'Survey', formFields: [] } }
  },
  card: { category: 'card', type: 'card', data: { card: { title: 'Order 7' }, fallbackText: 'Order 7' } }
}

export const EDITS = {
  text: { data: { text: 'Hello again!' } },
  metadata: { data: { metadata: { color: 'blue' } } },
  tags: { tags: ['pinned'] }
}

export const CREATED = {
  text: { data: SENT },
  moderated: { data: { ...SENT, data: { ...SENT.data, moderation: { status: 'pending' } } } },
  minimal: { data: { id: '1000' } },
  'several receivers': {
    data: SENT,
    receivers: [{ receiver: 'bob', receiverType: 'user', data: SENT }],
    failed: [{ receiver: 'carol', code: 'ERR_BLOCKED_RECEIVER' }]
  }
}

export const CHANGED = { edited: { data: { ...SENT, editedAt: 1_795_910_430, editedBy: 'alice' } } }
export const DELETED = { deleted: { data: TOMBSTONE } }
export const THREAD = { thread: { data: PARENT } }
export const PAGES = {
  newest: { data: [SENT], page: { older: 'hT3p…', newer: 'kQ9x…' } },
  'with a deleted reply': { data: [TOMBSTONE], page: { newer: 'kQ9x…' } }
}
export const KNOWN = {
  sent: { delivery: 'sent', data: SENT },
  'not sent': { delivery: 'not-sent' },
  'not known': { delivery: 'unknown', retryAfterMs: 1000 }
}
export const EXPLAINED = {
  'would be sent': {
    identity: { scheme: 'bearer', issuer: 'https://id.example.com/', subject: 'alice', uid: 'alice' },
    limits: { mode: 'enforce', policies: [{ policy: 'user', limit: 30, remaining: 29, nextInMs: 2000 }] },
    decision: { action: 'send' },
    request: {
      method: 'POST',
      url: 'https://app.api-eu.cometchat.io/v3/messages/100/thread',
      headers: { apikey: 'sha256:1f0c6c4d', onBehalfOf: 'alice' },
      body: { receiver: 'bob', receiverType: 'user', category: 'message', type: 'text', data: { text: 'Hello!' } }
    }
  }
}
export const IDENTITY = {
  user: {
    uid: 'alice',
    issuer: 'https://id.example.com/',
    subject: 'alice',
    scheme: 'bearer',
    expiresAt: '2026-11-29T12:00:00.000Z'
  }
}
export const TOKEN = { token: { uid: 'alice', appId: 'app', region: 'eu', authToken: 'alice_1795910400a1b2c3d4' } }
export const REVOKED = { revoked: { revoked: true }, 'there was none': { revoked: false } }
