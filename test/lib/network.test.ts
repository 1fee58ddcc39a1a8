import t from 'tap'
import { networkOf } from '../../src/lib/network.ts'

t.test('an IPv4 address is one host, however it is written', async t => {
  t.equal(networkOf('192.0.2.7'), '192.0.2.7')
  t.equal(networkOf('::ffff:192.0.2.7'), '192.0.2.7')
  t.equal(networkOf('::FFFF:192.0.2.7'), '192.0.2.7')
})

t.test('the addresses of one /64 are one network, and no others', async t => {
  const same = ['2001:db8:1:2::', '2001:DB8:1:2::1', '2001:0db8:0001:0002:3:4:5:6', '2001:db8:1:2:ffff:ffff:ffff:ffff']
  t.same(new Set(same.map(networkOf)), new Set(['2001:db8:1:2::/64']))
  t.equal(networkOf('2001:db8:1:3::1'), '2001:db8:1:3::/64')
  t.equal(networkOf('2001:db8::2:0:0:0:1'), '2001:db8:0:2::/64')
  t.equal(networkOf('2001:db8::1'), '2001:db8:0:0::/64')
  t.equal(networkOf('::1'), '0:0:0:0::/64')
  t.equal(networkOf('::'), '0:0:0:0::/64')
  t.equal(networkOf('64:ff9b::192.0.2.1'), '64:ff9b:0:0::/64')
  t.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
})
