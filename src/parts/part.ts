/** What `/readyz` asks of a part. */
export interface Health {
  /** What it says while the part is not ready. */
  readonly reason: string
  isReady(): boolean
}

/** Something that the service is made of, from its start to its end. */
export interface Part {
  readonly health: readonly Health[]
  /** Trouble that does not keep the part from serving; only `/readyz?verbose` tells it. */
  warnings?(): readonly string[]
  close(): void | Promise<void>
}
