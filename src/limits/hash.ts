/** MurmurHash3's mixing of 32 bits (Appleby, public domain), over UTF-16 units: for tables, not for secrets. */
export function hash32(text: string, seed: number): number {
  let mixed = seed
  for (let index = 0; index < text.length; index++) {
    mixed ^= Math.imul(text.charCodeAt(index), 0xcc9e2d51)
    mixed = Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64
  }
  mixed ^= mixed >>> 16
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
