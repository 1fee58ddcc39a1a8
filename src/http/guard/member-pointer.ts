/** A member name that is safe to repeat in an answer; any other is pointed at by its parent. */
const PLAIN_NAME = /^[A-Za-z0-9_.@-]{1,64}$/

/** RFC 6901 pointer to a member; its parent where the name itself should not be repeated. */
export function memberPointer(parent: string, name: string): string {
  return PLAIN_NAME.test(name) ? `${parent}/${name}` : parent
}
