// Who has a phone in the demo, and what they talk about.
export const PHONES = ['alice', 'bob'] as const
export type Phone = (typeof PHONES)[number]
export const isPhone = (name: unknown): name is Phone => PHONES.includes(name as Phone)

export const NAMES: Readonly<Record<Phone, string>> = { alice: 'Alice', bob: 'Bob' }
/** The message of `addSampleWorld` that both phones show the thread of. */
export const THREAD = '100'

/** Whom a reply of this phone's user goes to. */
export const otherThan = (phone: Phone): Phone => (phone === 'alice' ? 'bob' : 'alice')

/** The question that the thread hangs on, as CometChat holds it. */
export const OPENING = 'Shall we ship it on Friday?'
