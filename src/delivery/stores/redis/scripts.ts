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

/**
 * Remembers in Redis which run of which server holds the records, and when records may last have got lost, `since`, which
 * matters `for` so long. Every possible loss begins another epoch. Always writes, so that a server that takes no writes is
 * found out. KEYS: the memory. ARGV: this run, or nothing where INFO is forbidden; the run that this client saw last, `?` for
 * an unknown one, or nothing; for how long a loss matters; the epoch that this client saw last, or nothing; a new one; by how
 * much this client saw the clock jump ahead, which forgets records early.
 */
const GREET = `
local key, run, met, kept = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local metEpoch, newEpoch, jump = ARGV[4], ARGV[5], tonumber(ARGV[6])
local kind = redis.call('TYPE', key).ok
local isOurs = kind == 'hash' or kind == 'none'
if not isOurs then redis.call('DEL', key) end

local f = redis.call('HMGET', key, 'run', 'since', 'for', 'epoch')
local known, since, span, epoch = f[1], tonumber(f[2] or ''), tonumber(f[3] or '') or kept, f[4]
-- Dated by a clock that ran ahead.
if since and since > now then since = now end
local isEmptied = met ~= '' and not known
local isAnother = run ~= '' and known and known ~= '' and known ~= run
-- A client that knew no better has already greeted the emptied server.
local isUntold = not since and (metEpoch ~= '' and epoch ~= metEpoch
  or run ~= '' and met ~= '' and met ~= '?' and met ~= run)
local isLost = not isOurs or isEmptied or isAnother or isUntold or (f[2] and not since)
if isLost then
  since, span = now, kept
elseif jump > 0 then
  local rest = since and since + span - now or 0
  since, span = now, math.max(math.min(jump, kept), rest)
end
if isLost or jump > 0 or not epoch then epoch = newEpoch end

redis.call('HSET', key, 'run', run ~= '' and run or known or '', 'epoch', epoch)
if since then redis.call('HSET', key, 'since', string.format('%.0f', since), 'for', string.format('%.0f', span)) end
return { now, since or -1, span, epoch }
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

export type Scripts = Readonly<Record<Transition | 'greet', Script>>

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
    greet: told(GREET)
  }
}
