// Each snippet works as it stands while this demo runs.

/** @param {{ serviceUrl: string, thread: string, token: string }} facts */
export function snippets({ serviceUrl, thread, token }) {
  const url = `${serviceUrl}/threads/${thread}/replies`
  return [
    {
      name: 'Client',
      note: 'One reply, posted once, through reloads, tunnels and crashes. This token lasts ten minutes.',
      code: client(serviceUrl, thread, token)
    },
    {
      name: 'React',
      note: 'The hook of the client: the thread, and what is on its way.',
      code: react(serviceUrl, thread, token)
    },
    {
      name: 'fetch',
      note: 'Without the client: the key is made once, and kept with the text for every further try.',
      code: plain(url, token)
    },
    { name: 'curl', note: 'Paste it twice: it is still one reply.', code: curl(url, token) },
    {
      name: 'Swift',
      note: 'Keep key and text together until the answer says what became of them.',
      code: swift(url, token)
    },
    {
      name: 'Kotlin',
      note: 'Keep key and text together until the answer says what became of them.',
      code: kotlin(url, token)
    }
  ]
}

const client = (serviceUrl, thread, token) => `import { createThreadReplies } from 'thread-reply-client'

const replies = createThreadReplies({
  url: '${serviceUrl}',
  auth: { bearer: async () => '${token}' }
})

replies.subscribe('${thread}', list => {
  for (const { body, state } of list) console.log(body.data.text, state.is)
})
replies.send('${thread}', { data: { text: 'Friday works for me.' } })
`

const react = (serviceUrl, thread, token) => `import { createThreadReplies } from 'thread-reply-client'
import { ThreadRepliesProvider, useThreadReplies } from 'thread-reply-client/react'

const client = createThreadReplies({
  url: '${serviceUrl}',
  auth: { bearer: async () => '${token}' }
})

function Thread() {
  const { messages = [], replies, send } = useThreadReplies('${thread}')
  return (
    <form action={form => void send({ data: { text: form.get('text') } })}>
      {messages.map(({ id, sender, data }) => <p key={id}>{sender}: {data?.text}</p>)}
      {replies.map(({ key, body, state }) => <p key={key}>{body.data.text} ({state.is})</p>)}
      <input name="text" />
    </form>
  )
}

export default function App() {
  return (
    <ThreadRepliesProvider client={client}>
      <Thread />
    </ThreadRepliesProvider>
  )
}
`

const plain = (url, token) => `const key = crypto.randomUUID()

const answer = await fetch('${url}', {
  method: 'POST',
  headers: {
    authorization: 'Bearer ${token}',
    'content-type': 'application/json',
    'idempotency-key': key
  },
  body: JSON.stringify({ data: { text: 'Friday works for me.' } })
})
const { data, delivery, retryable, retryAfterMs } = await answer.json()
// 201: data is the message. Else delivery says what is known: sent, not-sent, unknown.
// With retryable: the same request again after retryAfterMs, with the same key.
`

const curl = (url, token) => `curl -i ${url} \\
  -H 'authorization: Bearer ${token}' \\
  -H 'idempotency-key: "${crypto.randomUUID().slice(0, 8)}"' \\
  -H 'content-type: application/json' \\
  -d '{"data":{"text":"Friday works for me."}}'
`

const swift = (url, token) => `var request = URLRequest(url: URL(string: "${url}")!)
request.httpMethod = "POST"
request.setValue("Bearer ${token}", forHTTPHeaderField: "Authorization")
request.setValue("application/json", forHTTPHeaderField: "Content-Type")
request.setValue(UUID().uuidString, forHTTPHeaderField: "Idempotency-Key")
request.httpBody = try JSONSerialization.data(withJSONObject: ["data": ["text": "Friday works for me."]])

let (body, response) = try await URLSession.shared.data(for: request)
// 201: posted. Else body has delivery (sent, not-sent, unknown), retryable and retryAfterMs.
// An error thrown here says nothing about delivery: send the same again, with the same key.
`

const kotlin = (url, token) => `val request = Request.Builder()
    .url("${url}")
    .header("Authorization", "Bearer ${token}")
    .header("Idempotency-Key", UUID.randomUUID().toString())
    .post("""{"data":{"text":"Friday works for me."}}""".toRequestBody("application/json".toMediaType()))
    .build()

OkHttpClient().newCall(request).execute().use { answer ->
    // 201: posted. Else the body has delivery (sent, not-sent, unknown), retryable and retryAfterMs.
    // An IOException says nothing about delivery: send the same again, with the same key.
    println(answer.code to answer.body.string())
}
`
