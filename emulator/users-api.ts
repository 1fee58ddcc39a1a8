// GET /users/{uid} and POST /users.
import { requireUser } from './access.ts'
import type { ApiRequest, ChatContext, Outcome } from './context.ts'
import { badRequest, ChatError } from './errors.ts'
import { parseObject } from './message-body.ts'
import type { JsonObject } from './types.ts'
import { userToWire } from './wire-entities.ts'

const UID_PATTERN = /^[A-Za-z0-9_-]{1,100}$/

export function readUser(context: ChatContext, uid: string): Outcome {
  const user = requireUser(context, uid)
  return { body: () => ({ data: userToWire(user) }) }
}

function requireFields(body: JsonObject): { readonly uid: string; readonly name: string } {
  const { uid, name } = body
  const details: Record<string, string[]> = {}
  if (typeof uid !== 'string' || uid === '') details['uid'] = ['The uid field is required.']
  else if (!UID_PATTERN.test(uid))
    details['uid'] = ['The uid may only contain letters, numbers, dashes and underscores.']
  if (typeof name !== 'string' || name === '') details['name'] = ['The name field is required.']
  if (typeof uid !== 'string' || typeof name !== 'string' || Object.keys(details).length > 0) throw badRequest(details)
  return { uid, name }
}

export function createUser({ state }: ChatContext, request: ApiRequest): Outcome {
  const body = parseObject(request.body)
  const { uid, name } = requireFields(body)
  if (state.users.has(uid.toLowerCase())) {
    const message = `The user with UID ${uid} already exists, please use another UID.`
    throw new ChatError('ERR_UID_ALREADY_EXISTS', message)
  }
  const { avatar, link, role } = body
  const user = state.addUser({
    uid,
    name,
    ...(typeof avatar === 'string' && { avatar }),
    ...(typeof link === 'string' && { link }),
    ...(typeof role === 'string' && { role })
  })
  return { body: () => ({ data: userToWire(user) }) }
}
