const IN_DATA = 'It belongs below data; the copy beside data is the one to leave out.'

/**
 * Where a member belongs that CometChat's SDK and UI Kits write beside `data`, for objects of theirs that are sent as they
 * are. docs/from-the-sdk.md has the same rows, as a table for callers.
 */
export const MISPLACED: ReadonlyMap<string, string> = new Map([
  ['/text', IN_DATA],
  ['/metadata', IN_DATA],
  ['/customData', IN_DATA],
  ['/attachments', IN_DATA],
  ['/url', IN_DATA],
  ['/interactiveData', IN_DATA],
  ['/interactionGoal', IN_DATA],
  ['/card', IN_DATA],
  ['/fallbackText', IN_DATA],
  ['/mentions', IN_DATA],
  ['/updateConversation', IN_DATA],
  ['/sendNotification', IN_DATA],
  ['/caption', 'It belongs into data.text.'],
  ['/parentMessageId', 'It belongs into the path: POST /threads/{parentMessageId}/replies.'],
  ['/quotedMessage', 'It belongs into quotedMessageId, as the id alone.'],
  ['/mentionedUsers', 'It belongs into data.text, as <@uid:UID>; CometChat fills in data.mentions.'],
  ['/interactions', 'It belongs to an answer: CometChat writes what users did with the message.'],
  ['/file', 'It belongs to an upload; data.attachments takes https URLs.'],
  ['/files', 'It belongs to an upload; data.attachments takes https URLs.'],
  ['/id', 'It belongs to an answer: CometChat writes it.'],
  ['/conversationId', 'It belongs to an answer: CometChat writes it.'],
  ['/sentAt', 'It belongs to an answer: CometChat writes it.'],
  ['/reactions', 'It belongs to an answer: CometChat writes it.']
])
