import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'

/**
 * A message as CometChat returns it: strict about what is used here, tolerant of everything else.
 * Source: `messageSchema` of CometChat's OpenAPI document; ids come as strings, in some places as numbers.
 */
export const Message = Type.Object({
  sender: Type.String(),
  receiver: Type.String(),
  receiverType: Type.Union([Type.Literal('user'), Type.Literal('group')]),
  category: Type.String(),
  type: Type.String(),
  data: Type.Object({ metadata: Type.Optional(Type.Unknown()) }),
  sentAt: Type.Integer(),
  updatedAt: Type.Optional(Type.Integer()),
  conversationId: Type.Optional(Type.String()),
  muid: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String()))
})
export type Message = Static<typeof Message>

const compiled = TypeCompiler.Compile(Message)

export function isMessage(value: unknown): value is Message {
  return compiled.Check(value)
}
