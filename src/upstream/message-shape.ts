import { Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { idText, type JsonObject } from '../lib/json.ts'

/**
 * A message as CometChat documents it (`messageSchema` of its OpenAPI document), less what an answer is judged by:
 * whatever differs here is only counted.
 */
const DESCRIBED = {
  receiver: Type.String(),
  receiverType: Type.Union([Type.Literal('user'), Type.Literal('group')]),
  category: Type.String(),
  type: Type.String(),
  data: Type.Object({}),
  sentAt: Type.Integer(),
  updatedAt: Type.Optional(Type.Integer()),
  conversationId: Type.Optional(Type.String()),
  muid: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String()))
}
const described = TypeCompiler.Compile(Type.Object(DESCRIBED))
const members = Object.keys(DESCRIBED) as (keyof typeof DESCRIBED)[]
const single = Object.fromEntries(
  members.map(name => [name, TypeCompiler.Compile(Type.Pick(Type.Object(DESCRIBED), [name]))])
)

/** The members that are not as documented: a closed list of names, fit for a log line. */
export function deviationsOf(message: JsonObject): readonly string[] {
  if (described.Check(message)) return NONE
  return members.filter(name => !single[name]?.Check(message))
}
const NONE: readonly string[] = []

/** The message that a message replies to. CometChat writes "none" as no member, null, 0, "0" or an empty text. */
export function parentIdOf(message: JsonObject): string | undefined {
  const id = idText(message['parentId'])
  return id === undefined || /^0+$/.test(id) ? undefined : id
}
