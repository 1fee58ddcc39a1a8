/**
 * A store with some of its methods changed: everything else goes to `real`, which may be a class with private members.
 * A function for `real` is asked at every call, for a store that is put in the place of another meanwhile.
 */
export function wrapStore<Store extends object>(real: Store | (() => Store), changes: Partial<Store>): Store {
  const current = (): Store => (typeof real === 'function' ? real() : real)
  return new Proxy(current(), {
    get(_first, name) {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name)
      const store = current()
      const member = Reflect.get(store, name, store)
      return typeof member === 'function' ? member.bind(store) : member
    }
  })
}
