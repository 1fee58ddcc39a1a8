// What the page and its phones tell each other. Each phone is a page of its own, as an app is.

const CHANNEL = 'demo'

/** @param {(message: { kind: string, phone?: string, text?: string }) => void} listener */
export function talk(listener) {
  const channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = ({ data }) => listener(data)
  return message => channel.postMessage(message)
}
