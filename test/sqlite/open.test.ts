// Where a database must not be: processes on a network file system do not see each other's log.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fileSystemOf } from '../../src/lib/service/file-system.ts'
import { keepDurableLog, openPrivateDatabase } from '../../src/sqlite/open.ts'

t.test('a file on a network file system is refused before it is made, on a disk it is opened', async t => {
  const path = join(t.testdir(), 'records.db')
  const openOn = (type: number) =>
    openPrivateDatabase({
      path,
      subject: 'STORE_URL',
      sqlite: {},
      setUp: keepDurableLog,
      fileSystemOfPath: place => fileSystemOf(place, () => type)
    })

  t.throws(() => openOn(0x6969), {
    name: 'StoreError',
    message: 'STORE_URL names a file on a network file system (nfs): use a disk of this machine.'
  })
  t.notOk(existsSync(path))
  openOn(0xef53).close()
  t.ok(existsSync(path))
})
