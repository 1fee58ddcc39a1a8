// The same app without the service: a backend that passes each call on to CometChat, and the retries that every HTTP
// library offers. It is careful, and doubles all the same: it cannot know what an error means.

const TRIES = 3
const PAUSE_MS = 700

export function createStraight(phone, fetch, onChange) {
  const replies = new Map()

  const change = (id, state) => {
    const reply = replies.get(id)
    if (!reply) return
    replies.set(id, { ...reply, state })
    onChange()
    const told = state.is === 'sending' ? 'under-way' : state.is
    void globalThis.fetch(`/phones/${phone}/told`, { method: 'POST', body: JSON.stringify({ id, told }) })
  }

  async function post({ id, text }) {
    change(id, { is: 'sending' })
    for (let tried = 1; tried <= TRIES; tried++) {
      const body = JSON.stringify({ muid: id, data: { text } })
      const answer = await fetch(`/phones/${phone}/straight`, { method: 'POST', body }).catch(() => undefined)
      if (answer?.ok) return change(id, { is: 'sent' })
      if (tried < TRIES) await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
    }
    change(id, { is: 'failed', mayExist: false, canEdit: false })
  }

  return {
    has: key => replies.has(key),
    replies: () => [...replies.values()],
    discard(key) {
      replies.delete(key)
      onChange()
    },
    retry: key => post({ id: key, text: replies.get(key).body.data.text }),
    send(id, text) {
      replies.set(id, {
        key: id,
        createdAt: Date.now(),
        body: { muid: id, data: { text } },
        state: { is: 'sending' },
        isStraight: true
      })
      return post({ id, text })
    }
  }
}
