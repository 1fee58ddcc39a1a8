// What the provider asks people: who they are. There is no password, and nothing to consent to.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Provider } from 'oidc-provider'
import { isPhone, NAMES, PHONES, type Phone } from './people.ts'

/** Answers `/interaction/…`; rejects where there is no such interaction any more. */
export async function finishInteraction(
  provider: Provider,
  appOrigin: string,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const { params } = await provider.interactionDetails(request, response)
  const hint = params['login_hint']
  const chosen = request.method === 'POST' ? new URLSearchParams(await text(request)).get('user') : undefined
  const user = params['quick'] === 'yes' ? hint : chosen
  if (isPhone(user)) return provider.interactionFinished(request, response, { login: { accountId: user } })
  if (chosen === 'nobody') return provider.interactionFinished(request, response, { error: 'access_denied' })
  ask(isPhone(hint) ? hint : 'alice', appOrigin, response)
}

function ask(hint: Phone, appOrigin: string, response: ServerResponse): void {
  const others = PHONES.filter(phone => phone !== hint)
  const buttons = [hint, ...others].map(
    (user, index) =>
      `<button name="user" value="${user}"${index === 0 ? ' class="first" autofocus' : ''}>Continue as ${NAMES[user]}</button>`
  )
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    // A redirect that follows the form counts, too.
    'content-security-policy': `default-src 'none'; style-src ${appOrigin}; font-src ${appOrigin}; form-action 'self' ${appOrigin}; frame-ancestors 'none'; base-uri 'none'`,
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store'
  })
  response.end(`<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>Sign in</title>
<link rel="stylesheet" href="${appOrigin}/page/styles/base.css">
<link rel="stylesheet" href="${appOrigin}/page/styles/sign-in.css">
<main class="sign-in">
  <h1>Who are you?</h1>
  <p>This is the OpenID provider of the demo, on an origin of its own. It asks for no password.</p>
  <form method="post">
    ${buttons.join('\n    ')}
    <button name="user" value="nobody" class="quiet">Nobody: go back</button>
  </form>
</main>
</html>
`)
}
