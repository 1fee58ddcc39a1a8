/** Every secret that stands in the documents of this project or in .env.example; a test finds them there. */
const PUBLISHED: ReadonlySet<string> = new Set([
  'a08ff49b6f772632716c43069c43a8c3b7cf3c25',
  'local-example-secret-that-protects-nothing',
  'example-of-a-client-secret',
  'example-of-a-session-secret-of-32-bytes',
  'example-of-a-token',
  'example-of-a-store-secret-of-32-bytes',
  'example-of-an-audit-secret-of-32-bytes'
])

export function isPublished(secret: string): boolean {
  return PUBLISHED.has(secret)
}
