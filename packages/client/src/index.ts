export { createThreadReplies } from './client.ts'
export { type Explanation, explain } from './explain.ts'
export { fromCometChat } from './from-cometchat.ts'
export type { ClientCode, Problem, ProblemOf, ServiceCode, Violation } from './problems.ts'
export type {
  Auth,
  LiveSource,
  Message,
  Page,
  Reply,
  ReplyBody,
  ReplyState,
  ReplyStorage,
  ThreadReplies,
  ThreadRepliesError,
  ThreadRepliesOptions
} from './types.ts'
