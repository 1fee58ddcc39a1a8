// deploy/systemd: systemd itself says whether the unit is one, and how much it keeps from the process.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const UNIT = readFileSync(new URL('../../deploy/systemd/thread-reply-bff.service', import.meta.url), 'utf8')
/** Of 10, as systemd counts: below 2 it calls a unit well protected. */
const MOST_EXPOSED = 2
const isMissing = spawnSync('systemd-analyze', ['--version']).error !== undefined
const options = isMissing ? { skip: 'systemd-analyze is not installed' } : {}

const directory = mkdtempSync(join(tmpdir(), 'unit-'))
t.teardown(() => rmSync(directory, { recursive: true }))
const file = join(directory, 'thread-reply-bff.service')
writeFileSync(file, UNIT.replaceAll('/opt/thread-reply-bff', ROOT.replace(/\/$/, '')))

t.test('systemd finds nothing wrong with the unit', options, async t => {
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })

  t.same([status, stderr], [0, ''])
})

t.test('systemd calls it well protected', options, async t => {
  const args = ['security', '--offline=true', `--threshold=${MOST_EXPOSED * 10}`, file]
  const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })

  t.equal(status, 0, /Overall exposure level.*/.exec(stdout)?.[0] ?? stdout)
})

t.test('it is given the time that its drain takes', async t => {
  t.match(UNIT, /^TimeoutStopSec=30$/m)
  t.match(UNIT, /^RestartPreventExitStatus=64 78$/m)
})
