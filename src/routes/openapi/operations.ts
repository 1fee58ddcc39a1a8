import type { ProblemCode } from '../../lib/refusals/problems.ts'
import { CometChatToken, NoBody, TokenRevoked } from '../cometchat-token.ts'
import { ReplyExplained } from '../explain-schemas.ts'
import { Me } from '../me.ts'
import { ReplyCreated, ReplyOfThread, ReplyParams, ReplyShown } from '../replies-schemas.ts'
import { KeyParams, RepliesListed, ReplyKnown, ThreadShown, WrittenListQuery } from '../thread-schemas.ts'
import * as examples from './examples.ts'
import type { RequestHeader } from './headers.ts'
import type { Operation } from './operation.ts'
import { EditInput, ReplyInput } from './reply-kinds.ts'

/** Whatever the address: before anything is done for a request. */
export const ANYWHERE: readonly ProblemCode[] = [
  'malformed-request',
  'reserved-name',
  'request-timeout',
  'rate-limited',
  'headers-too-large',
  'internal',
  'overloaded',
  'draining'
]
const SIGNED_IN: readonly ProblemCode[] = [
  ...ANYWHERE,
  'ambiguous-credentials',
  'idempotency-key-invalid',
  'unauthenticated',
  'forbidden',
  'csrf',
  'identity-unmappable',
  'method-not-allowed',
  'invalid-request',
  'store-unavailable',
  'identity-provider-unavailable'
]
const WITH_BODY: readonly ProblemCode[] = ['payload-too-large', 'unsupported-media-type']
const OF_COMETCHAT: readonly ProblemCode[] = [
  'rejected-by-cometchat',
  'client-closed',
  'upstream-credentials',
  'upstream-misconfigured',
  'upstream-reset',
  'upstream-error',
  'upstream-invalid',
  'upstream-mismatch',
  'upstream-unreachable',
  'deadline-exceeded'
]
const OF_THREADS: readonly ProblemCode[] = [...SIGNED_IN, ...OF_COMETCHAT, 'thread-not-found']

const REPLIES = '/threads/:parentId/replies'
const COMMON: readonly RequestHeader[] = ['X-Acting-For', 'X-Signed-In-As', 'X-CSRF', 'X-Request-Id', 'traceparent']

/** What a caller who is signed in can do. */
export const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    url: REPLIES,
    operation: 'post-reply',
    tag: 'Replies',
    summary: 'Post a reply',
    description:
      'Posts a reply to the thread as the caller, once for each `Idempotency-Key`. Every answer says what became of it: `201` is `sent`, a problem has `delivery`.',
    security: 'caller',
    params: ReplyParams,
    headers: ['Idempotency-Key', 'Prefer', ...COMMON],
    body: { schema: ReplyInput, examples: examples.REPLIES },
    answers: {
      200: {
        description: 'With `Prefer: handling=explain`: what would become of the reply; nothing was sent.',
        headers: ['Preference-Applied'],
        body: { schema: ReplyExplained, examples: examples.EXPLAINED }
      },
      201: {
        description: 'The reply is posted.',
        headers: ['Idempotent-Replayed', 'Preference-Applied'],
        body: { schema: ReplyCreated, examples: examples.CREATED }
      }
    },
    problems: [
      ...OF_THREADS,
      ...WITH_BODY,
      'idempotency-key-required',
      'thread-mismatch',
      'idempotency-in-flight',
      'idempotency-key-reused',
      'upstream-contract',
      'store-recovering'
    ]
  },
  {
    method: 'get',
    url: REPLIES,
    operation: 'list-replies',
    tag: 'Threads',
    summary: 'Read a page of replies',
    description: 'The replies of a thread as the caller sees them; without a cursor the newest page.',
    security: 'caller',
    params: ReplyParams,
    query: WrittenListQuery,
    headers: ['Prefer', ...COMMON],
    answers: { 200: { description: 'A page.', body: { schema: RepliesListed, examples: examples.PAGES } } },
    problems: OF_THREADS
  },
  {
    method: 'get',
    url: `${REPLIES}/by-key/:key`,
    operation: 'look-up-reply',
    tag: 'Replies',
    summary: 'What became of a reply',
    description: "What is known of the caller's reply with this Idempotency-Key. Nothing is sent.",
    security: 'caller',
    params: KeyParams,
    headers: ['Prefer', ...COMMON],
    answers: { 200: { description: 'What is known.', body: { schema: ReplyKnown, examples: examples.KNOWN } } },
    problems: [...OF_THREADS, 'store-recovering']
  },
  {
    method: 'patch',
    url: `${REPLIES}/:replyId`,
    operation: 'edit-reply',
    tag: 'Replies',
    summary: "Edit one's own reply",
    description: 'What is given replaces, `metadata` member by member; the rest stays. May be repeated as it is.',
    security: 'caller',
    params: ReplyOfThread,
    headers: ['Prefer', ...COMMON],
    body: { schema: EditInput, examples: examples.EDITS },
    answers: {
      200: { description: 'The reply as it is now.', body: { schema: ReplyShown, examples: examples.CHANGED } }
    },
    problems: [...OF_THREADS, ...WITH_BODY, 'not-yours']
  },
  {
    method: 'delete',
    url: `${REPLIES}/:replyId`,
    operation: 'delete-reply',
    tag: 'Replies',
    summary: "Delete one's own reply",
    description: 'Without a body. May be repeated as it is: what is done is done.',
    security: 'caller',
    params: ReplyOfThread,
    headers: ['Prefer', ...COMMON],
    answers: {
      200: { description: 'What is left of the reply.', body: { schema: ReplyShown, examples: examples.DELETED } }
    },
    problems: [...OF_THREADS, ...WITH_BODY, 'not-yours']
  },
  {
    method: 'get',
    url: '/threads/:parentId',
    operation: 'show-thread',
    tag: 'Threads',
    summary: 'Read the message that a thread hangs on',
    description: 'With its `replyCount`, as the caller sees it.',
    security: 'caller',
    params: ReplyParams,
    headers: ['Prefer', ...COMMON],
    answers: { 200: { description: 'The message.', body: { schema: ThreadShown, examples: examples.THREAD } } },
    problems: OF_THREADS
  },
  {
    method: 'get',
    url: '/me',
    operation: 'show-identity',
    tag: 'Callers',
    summary: 'Who is calling',
    description: 'Who is calling, and as whom, so that a client knows whose replies it keeps.',
    security: 'caller',
    headers: COMMON,
    answers: { 200: { description: 'The caller.', body: { schema: Me, examples: examples.IDENTITY } } },
    problems: SIGNED_IN
  },
  {
    method: 'post',
    url: '/cometchat/token',
    operation: 'take-sdk-token',
    tag: 'Callers',
    summary: "Take an auth token for CometChat's SDK",
    description: 'Where `COMETCHAT_TOKENS=on`: one for each sign-in, the same at each call.',
    security: 'caller',
    headers: ['Idempotency-Key', 'Prefer', ...COMMON],
    body: { schema: NoBody, isOptional: true, examples: { nothing: {} } },
    answers: {
      200: { description: 'The token that there was.', body: { schema: CometChatToken, examples: examples.TOKEN } },
      201: { description: 'A new token.', body: { schema: CometChatToken, examples: examples.TOKEN } }
    },
    problems: [...SIGNED_IN, ...OF_COMETCHAT, ...WITH_BODY, 'not-found']
  },
  {
    method: 'delete',
    url: '/cometchat/token',
    operation: 'revoke-sdk-token',
    tag: 'Callers',
    summary: 'Take that token back',
    description: 'Where `COMETCHAT_TOKENS=on`.',
    security: 'caller',
    headers: ['Prefer', ...COMMON],
    answers: {
      200: { description: 'It is worth nothing any more.', body: { schema: TokenRevoked, examples: examples.REVOKED } }
    },
    problems: [...SIGNED_IN, ...OF_COMETCHAT, ...WITH_BODY, 'not-found']
  }
]
