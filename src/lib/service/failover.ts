/** What a failover can lose: `detect` finds out, `lossless` is the operator's word that it is nothing (STORE_FAILOVER). */
export const FAILOVERS = ['detect', 'lossless'] as const

export type Failover = (typeof FAILOVERS)[number]

/** What the operator says of the failovers of a Redis. */
export interface FailoverPromise {
  /** `lossless`: whatever takes the place of the server has everything that was confirmed. */
  readonly failover: Failover
  /** How many replicas confirm each record before its reply is sent; 0 for none (STORE_WAIT_REPLICAS). */
  readonly waitReplicas: number
}
