/** A store that cannot be used as configured. The message is for the operator: it names STORE_URL, never its value. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}

/** What a store tells the operator: fixed sentences, never an error of the driver, which may repeat what it was given. */
export interface StoreLog {
  info(sentence: string): void
  warn(sentence: string): void
  error(sentence: string): void
}
