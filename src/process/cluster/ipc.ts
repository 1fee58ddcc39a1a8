// All that the primary and its workers tell each other: no environment, no secret, nothing of a caller.

import type { Family } from '../../observability/metrics/family.ts'
import type { Readiness } from '../../plugin/readiness.ts'

export type PrimaryMessage =
  /** Say that this instance goes, and go on serving. */
  | { readonly order: 'drain' }
  /** Finish what is under way, and end. */
  | { readonly order: 'close' }
  | { readonly order: 'tell-reasons'; readonly question: number }
  | { readonly order: 'tell-metrics'; readonly question: number }

export type WorkerMessage =
  | { readonly report: 'listening'; readonly url: string }
  /** It cannot start as it is configured; the sentence is for the operator. */
  | { readonly report: 'refused'; readonly sentence: string; readonly exitCode: number }
  /** An issuer is ready; what all workers find is said once. */
  | { readonly report: 'issuer-ready'; readonly issuer: string; readonly rules: string }
  | { readonly report: 'reasons'; readonly question: number; readonly answer: Readiness }
  | { readonly report: 'metrics'; readonly question: number; readonly answer: readonly Family[] }
