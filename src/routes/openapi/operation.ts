import type { TObject, TSchema } from '@sinclair/typebox'
import type { ProblemCode } from '../../lib/refusals/problems.ts'
import type { AnswerHeader, RequestHeader } from './headers.ts'

export type Examples = Readonly<Record<string, unknown>>

export interface Body {
  readonly schema: TSchema
  readonly mediaType?: string
  readonly examples?: Examples
  readonly isOptional?: boolean
}

export interface Answer {
  readonly description: string
  readonly headers?: readonly AnswerHeader[]
  /** None where the answer has no body. */
  readonly body?: Body
}

/** One method of one address. */
export interface Operation {
  readonly method: 'get' | 'post' | 'patch' | 'delete'
  /** As the router has it. */
  readonly url: string
  /** That of the route. */
  readonly operation: string
  readonly tag: 'Replies' | 'Threads' | 'Callers' | 'Sign-in' | 'Document'
  readonly summary: string
  readonly description: string
  readonly security: 'caller' | 'login' | 'none'
  readonly params?: TObject
  readonly query?: TObject
  readonly headers?: readonly RequestHeader[]
  readonly body?: Body
  readonly answers: Readonly<Record<number, Answer>>
  /** What it can be refused with. */
  readonly problems: readonly ProblemCode[]
  /** On answers of this address, refusals included. */
  readonly always?: readonly AnswerHeader[]
  /** People may look at its refusals, too: as a page. */
  readonly hasPages?: boolean
}
