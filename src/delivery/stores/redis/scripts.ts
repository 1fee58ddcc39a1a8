// One script per transition: Redis runs each as a whole, so no two clients are ever inside one record. Time is that of
// the server, so clients need not agree on it. What lets a reply be sent holds only for the server that was greeted:
// - KEYS[2] is `reply:meta`, whose epoch changes with every loss of records that an instance has noticed; a server that was
//   emptied has none. ARGV[1] is the epoch that was greeted.
// - Each text names the run of the server that it was told to. EVALSHA therefore knows no script on another server, whatever
//   was replicated to it.
import { type Script, script } from '../../../redis/scripts.ts'
import { ANY_CONTENT, LEASE_TOLERANCE_MS, MAX_LEASE_MS } from '../../record.ts'

/** Milliseconds since the Unix epoch, on the clock of the server. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** Reads the record; one that is not shaped like ours is reported, never acted on. */
const RECORD = `
local key = KEYS[1]

local function text(number) return string.format('%.0f', number) end

local function read()
  local f = redis.call('HMGET', key, 's', 'fp', 'tok', 'dl', 'o', 'se')
  if not f[1] and redis.call('EXISTS', key) == 0 then return nil end
  local s, fp, tok, dl = f[1] or '', f[2] or '?', f[3] or '', f[4] or ''
  local open = s == 'pending' or s == 'sent'
  if not open and s ~= 'done' and s ~= 'refused' then return nil, true end
  if not string.match(fp, '^[0-9a-f]*$') or (#fp ~= 0 and #fp ~= 64) then return nil, true end
  if not string.match(tok, '^[%w-]+$') or #tok > 64 then return nil, true end
  if not string.match(dl, '^%d+$') or #dl > 15 then return nil, true end
  return { state = s, fp = fp, tok = tok, dl = tonumber(dl), o = f[5], open = open, se = f[6] }
end

-- Redis shows an error, such as that of another type, as a table.
local function isGreeted() return redis.pcall('HMGET', KEYS[2], 'epoch')[1] == ARGV[1] end

local function keep(state, fp, owner, lease, kept)
  redis.call('HSET', key, 's', state, 'fp', fp, 'tok', owner, 'dl', text(now + lease))
  redis.call('PEXPIRE', key, kept)
end

local record, unreadable = read()
if unreadable then return { 'unreadable' } end
`

/** What there is, to an acquisition; `endLease` is what is done with a lease that ends now. Goes on where it may be taken. */
const judged = (endLease: string): string => `${RECORD}
if not isGreeted() then return { 'greet-again' } end
local state, fp, owner, lease, kept = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
-- A date that cannot be: the clock has jumped back. A lease ends now; a refusal may have been kept too long.
local isMisdated = record and record.dl - now > ${MAX_LEASE_MS + LEASE_TOLERANCE_MS}
if isMisdated and record.state == 'refused' then record = nil end
if record and record.state == 'sent' then
  record.ended = record.o == 'lease-ended'
  if isMisdated or (record.ended and record.dl > now) then
    ${endLease}
    record.dl, record.ended = now, true
  end
end
local isOurs = record and record.open and record.tok == owner
local isLeased = record and now < record.dl and record.dl - now <= lease + ${LEASE_TOLERANCE_MS} and not record.ended
if isOurs and record.state == 'pending' and state == 'pending' then return { 'acquired', now, record.se } end
if isOurs and record.state == 'sent' and state == 'sent' and isLeased then return { 'acquired', now } end
if record and not (isOurs and record.state == 'pending') then
  if record.fp ~= fp and fp ~= '${ANY_CONTENT}' then return { 'mismatch', now } end
  if not record.open then return { 'final', now, record.o } end
  if isLeased then return { 'in-flight', now } end
  if record.state == 'sent' then return { 'in-doubt', now, record.tok, now - record.dl, record.se } end
end
local search = record and record.state == 'pending' and record.se
`

/** ARGV: epoch, state, fingerprint, owner, lease, how long the state is kept, what it remembers of a search or nothing. */
const ACQUIRE = `${judged("redis.call('HSET', key, 'dl', text(now), 'o', 'lease-ended')")}
keep(state, fp, owner, lease, kept)
if not search and ARGV[7] ~= '' then redis.call('HSET', key, 'se', ARGV[7]) end
if not search and ARGV[7] == '' then redis.call('HDEL', key, 'se') end
return { 'acquired', now, search }
`

/** ARGV: as above; writes nothing. */
const PEEK = `${judged('')}
return { 'acquired', now, search }
`

/** ARGV: epoch, owner, how long SENT is kept. */
const MARK_SENT = `${RECORD}
if not isGreeted() then return { 'greet-again' } end
if not record or not record.open or record.tok ~= ARGV[2] or now >= record.dl then return { 'no', now } end
redis.call('HSET', key, 's', 'sent')
redis.call('PEXPIRE', key, ARGV[3])
return { 'yes', now }
`

// What follows changes only a record that names its owner, and lets nothing be sent: on any server it is as true.

/** ARGV: epoch, owner. */
const MARK_IN_DOUBT = `${RECORD}
if not record or record.state ~= 'sent' or record.tok ~= ARGV[2] then return { 'no', now } end
redis.call('HSET', key, 'dl', text(math.min(record.dl, now)), 'o', 'lease-ended')
return { 'yes', now }
`

/** ARGV: epoch, previous owner, fingerprint, owner, lease, how long PENDING is kept. */
const TAKE_OVER = `${RECORD}
if not isGreeted() then return { 'greet-again' } end
if record and record.state == 'pending' and record.tok == ARGV[4] then return { 'yes', now } end
if not record or record.state ~= 'sent' or record.tok ~= ARGV[2] or now < record.dl then return { 'no', now } end
keep('pending', ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6])
redis.call('HDEL', key, 'o')
return { 'yes', now }
`

/** ARGV: epoch, owner or nothing, state, outcome, how long it is kept. */
const COMPLETE = `${RECORD}
if not record or not record.open or (ARGV[2] ~= '' and record.tok ~= ARGV[2]) then return { 'no', now } end
redis.call('HSET', key, 's', ARGV[3], 'o', ARGV[4])
redis.call('HDEL', key, 'se')
redis.call('PEXPIRE', key, ARGV[5])
return { 'yes', now }
`

/** ARGV: epoch, owner, what is remembered of a search or nothing, how long that is kept. */
const RELEASE = `${RECORD}
if not record or not record.open or record.tok ~= ARGV[2] then return { 'no', now } end
if ARGV[3] == '' then
  redis.call('DEL', key)
else
  redis.call('HSET', key, 's', 'pending', 'dl', text(now), 'se', ARGV[3])
  redis.call('HDEL', key, 'o')
  redis.call('PEXPIRE', key, ARGV[4])
end
return { 'yes', now }
`

/** ARGV: epoch, what was remembered of a search or nothing, what is. */
const NOTE_SEARCH = `${RECORD}
if not record or not record.open or (record.se or '') ~= ARGV[2] then return { 'no', now } end
redis.call('HSET', key, 'se', ARGV[3])
return { 'yes', now }
`

/** What the memory holds: a greeting reads and writes all of it. */
export const MEMORY_FIELDS = [
  'run',
  'epoch',
  'beat',
  'since',
  'for',
  'why',
  'whole',
  'synced',
  'most',
  'seen',
  'copy',
  'former',
  'replid'
] as const

export type MemoryField = (typeof MEMORY_FIELDS)[number]

/** KEYS: the memory. Answers the time, the type of what is there, and its fields in their order. */
const RECALL = `
local kind = redis.call('TYPE', KEYS[1]).ok
local isOurs = kind == 'hash' or kind == 'none'
return { now, kind, isOurs and redis.call('HMGET', KEYS[1], '${MEMORY_FIELDS.join("', '")}') or {} }
`

/**
 * Writes the memory, unless another client has since it was recalled. Always writes, so that a server that takes no writes is
 * found out. Ends with the mark of a copy, which replicas get and the append-only file does not: a server that loads its
 * own file has no mark, and whatever came from it by replication or by a snapshot has one. (An append-only file that was just
 * rewritten has it, too, until the next greeting: then a restart counts as a loss that was none.) KEYS: the memory. ARGV: run,
 * epoch and beat as they were recalled; how many fields are set; these with their values; those that go.
 */
const NOTE = `
local key, setTo = KEYS[1], 4 + 2 * tonumber(ARGV[4])
local kind = redis.call('TYPE', key).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', key) end
local f = redis.call('HMGET', key, 'run', 'epoch', 'beat')
for i = 1, 3 do
  if (f[i] or '') ~= ARGV[i] then return { 'recall-again' } end
end
redis.call('HSET', key, unpack(ARGV, 5, setTo))
if #ARGV > setTo then redis.call('HDEL', key, unpack(ARGV, setTo + 1)) end
if redis.set_repl then redis.set_repl(redis.REPL_AOF) end
redis.call('HDEL', key, 'copy')
if redis.set_repl then redis.set_repl(redis.REPL_SLAVE) end
redis.call('HSET', key, 'copy', '1')
return { 'noted' }
`

export type Transition =
  | 'acquire'
  | 'peek'
  | 'markSent'
  | 'markInDoubt'
  | 'takeOver'
  | 'complete'
  | 'release'
  | 'noteSearch'

export type Scripts = Readonly<Record<Transition | 'recall' | 'note', Script>>

/** The scripts as they are told to one run of a server. `timeShim` is Lua that changes `now`. */
export function scriptsOf(runId: string, timeShim = ''): Scripts {
  // Told without keys it does nothing: that only makes it known.
  const told = (lua: string): Script => script(`-- ${runId}\nif #KEYS == 0 then return {} end\n${NOW}${timeShim}${lua}`)
  return {
    acquire: told(ACQUIRE),
    peek: told(PEEK),
    markSent: told(MARK_SENT),
    markInDoubt: told(MARK_IN_DOUBT),
    takeOver: told(TAKE_OVER),
    complete: told(COMPLETE),
    release: told(RELEASE),
    noteSearch: told(NOTE_SEARCH),
    recall: told(RECALL),
    note: told(NOTE)
  }
}
