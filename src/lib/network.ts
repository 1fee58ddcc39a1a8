import { BlockList, isIP } from 'node:net'

/**
 * Whose address it is, as far as that can be told: an IPv4 address, or the /64 of an IPv6 address, in which one host
 * has as many addresses as it likes (RFC 4291 §2.5.4).
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!address.includes(':')) return address
  const [head = '', tail] = address.replace(/%.*$/, '').split('::')
  const groups = groupsOf(head)
  // What `::` stands for (RFC 4291 §2.2).
  const zeros = tail === undefined ? 0 : 8 - groups.length - groupsOf(tail).length
  const all = [...groups, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...groupsOf(tail ?? '')]
  return `${all
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':')
}

/** Whether an address is one of a list, or in one of its CIDR blocks; an IPv4 address is the same as IPv6 writes it. */
export function createAddressTest(list: readonly string[]): (address: string | undefined) => boolean {
  if (list.length === 0) return () => false
  const known = new BlockList()
  for (const entry of list) {
    const [address = '', bits] = entry.split('/')
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    if (bits === undefined) known.addAddress(address, family)
    else known.addSubnet(address, Number(bits), family)
  }
  return address => {
    const plain = address?.replace(/%.*$/, '') ?? ''
    const family = isIP(plain)
    return family !== 0 && known.check(plain, family === 4 ? 'ipv4' : 'ipv6')
  }
}
