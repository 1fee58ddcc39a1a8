import t from 'tap'
import { createAddressTest, networkOf } from '../../src/lib/network.ts'

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

t.test('an address is of a list as itself, in a block, or as IPv6 writes it', async t => {
  const isListed = createAddressTest(['192.0.2.7', '10.0.0.0/8', '2001:db8::/32', '::1', '172.16.5.4/12'])
  for (const address of [
    '192.0.2.7',
    '::ffff:192.0.2.7',
    '10.255.0.1',
    '2001:DB8::9',
    '::1',
    '172.31.0.1',
    '2001:db8::1%eth0'
  ]) {
    t.equal(isListed(address), true, address)
  }
  for (const address of [
    '192.0.2.8',
    '11.0.0.1',
    '2001:db9::1',
    '::2',
    '172.32.0.1',
    '',
    'unix:',
    '10.0.0',
    undefined
  ]) {
    t.equal(isListed(address), false, String(address))
  }
  const isAny = createAddressTest(['0.0.0.0/0', '::/0'])
  t.same(['8.8.8.8', '2001:db8::1', '::ffff:8.8.8.8'].map(isAny), [true, true, true])
  const mapped = createAddressTest(['::ffff:10.0.0.0/104'])
  t.same(['10.1.2.3', '::ffff:10.1.2.3', '11.1.2.3'].map(mapped), [true, true, false])
  t.equal(createAddressTest([])('127.0.0.1'), false)
})
