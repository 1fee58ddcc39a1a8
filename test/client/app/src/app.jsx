import { createRoot } from 'react-dom/client'
import { createThreadReplies, explain } from 'thread-reply-client'
import { ThreadRepliesProvider, useThreadReplies } from 'thread-reply-client/react'

const { threadId, token } = Object.fromEntries(new URLSearchParams(location.search))
const client = createThreadReplies({ url: '', auth: { bearer: async () => token } })

const WORDS = { queued: 'waiting', waiting: 'trying again', unconfirmed: 'checking whether this arrived' }

function Bubble({ reply, retry }) {
  const { key, body, state } = reply
  return (
    <li>
      {body.data.text}{' '}
      <small>{state.is === 'failed' ? explain(state.problem).text : (WORDS[state.is] ?? state.is)}</small>
      {state.is === 'failed' && (
        <button type="button" onClick={() => retry(key)}>
          again
        </button>
      )}
    </li>
  )
}

function Thread() {
  const { messages, replies, send, edit, keyOf, retry } = useThreadReplies(threadId)
  const submit = event => {
    event.preventDefault()
    send({ data: { text: event.target.text.value } })
    event.target.reset()
  }
  const change = (key, text) => text && edit(key, { data: { text } })
  return (
    <>
      {messages?.map(message => (
        <li key={message.id}>
          {message.sender}: {message.data?.text ?? 'deleted'}
          {keyOf(message) && (
            <button type="button" onClick={() => change(keyOf(message), prompt('Edit'))}>
              edit
            </button>
          )}
        </li>
      ))}
      {replies.map(reply => (
        <Bubble key={reply.key} reply={reply} retry={retry} />
      ))}
      <form onSubmit={submit}>
        <input name="text" required />
        <button type="submit">Send</button>
      </form>
    </>
  )
}

createRoot(document.body.appendChild(document.createElement('main'))).render(
  <ThreadRepliesProvider client={client}>
    <Thread />
  </ThreadRepliesProvider>
)
