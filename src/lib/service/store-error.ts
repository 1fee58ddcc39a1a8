/** A store that cannot be used as configured. The message is for the operator: it names STORE_URL, never its value. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}
