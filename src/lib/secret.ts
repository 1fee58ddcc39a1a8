import { createHash } from 'node:crypto'
import { inspect } from 'node:util'

/** A secret that prints as its fingerprint wherever it is logged, joined, inspected or serialised by accident. */
export class Secret {
  readonly #value: string
  /** First 8 hex digits of its SHA-256: enough to tell two keys apart, useless to find one. */
  readonly fingerprint: string

  constructor(value: string) {
    this.#value = value
    this.fingerprint = `sha256:${createHash('sha256').update(value).digest('hex').slice(0, 8)}`
  }

  reveal(): string {
    return this.#value
  }

  equals(other: Secret): boolean {
    return this.#value === other.#value
  }

  toString(): string {
    return this.fingerprint
  }

  toJSON(): string {
    return this.fingerprint
  }

  [inspect.custom](): string {
    return `Secret(${this.fingerprint})`
  }
}
