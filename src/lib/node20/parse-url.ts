/** `URL.parse` for the plugin, which runs on Node 20, too: null for a text that is no URL. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}
