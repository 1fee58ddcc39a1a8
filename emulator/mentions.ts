/** `<@uid:…>` in the text names the users that the server lists under `mentions`, in lower case and once each. */
export const mentionedUids = (text: unknown): string[] =>
  typeof text === 'string' && text.includes('<@uid:')
    ? [...new Set([...text.matchAll(/<@uid:([A-Za-z0-9_-]{1,100})>/g)].map(([, uid = '']) => uid.toLowerCase()))]
    : []
