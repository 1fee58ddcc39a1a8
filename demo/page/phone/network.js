// The network of one phone, which a switch takes away as a tunnel does.

/** @param {HTMLInputElement} offline */
export function createNetwork(offline) {
  Object.defineProperty(navigator, 'onLine', { get: () => !offline.checked })
  offline.checked = false
  const cuts = new Set()
  offline.addEventListener('change', () => {
    if (offline.checked) for (const cut of cuts) cut.abort()
    dispatchEvent(new Event(offline.checked ? 'offline' : 'online'))
  })

  return {
    async fetch(url, init = {}) {
      if (offline.checked) throw new TypeError('Failed to fetch')
      const cut = new AbortController()
      cuts.add(cut)
      const signal = init.signal ? AbortSignal.any([init.signal, cut.signal]) : cut.signal
      try {
        return await fetch(url, { ...init, signal })
      } finally {
        cuts.delete(cut)
      }
    }
  }
}
