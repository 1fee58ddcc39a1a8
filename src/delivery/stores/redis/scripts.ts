// One script per transition: Redis runs each as a whole, so no two clients are ever inside one record. Time is that of
// the server, so clients need not agree on it.
import { hash } from 'node:crypto'

/** Reads the record; one that is not shaped like ours is reported, never acted on. */
const RECORD = `
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function text(number) return string.format('%.0f', number) end

local function read()
  local f = redis.call('HMGET', key, 's', 'fp', 'tok', 'dl', 'o')
  if not f[1] and redis.call('EXISTS', key) == 0 then return nil end
  local s, fp, tok, dl = f[1] or '', f[2] or '?', f[3] or '', f[4] or ''
  local open = s == 'pending' or s == 'sent'
  if not open and s ~= 'done' and s ~= 'refused' then return nil, true end
  if not string.match(fp, '^[0-9a-f]*$') or (#fp ~= 0 and #fp ~= 64) then return nil, true end
  if not string.match(tok, '^[%w-]+$') or #tok > 64 then return nil, true end
  if not string.match(dl, '^%d+$') or #dl > 15 then return nil, true end
  return { state = s, fp = fp, tok = tok, dl = tonumber(dl), o = f[5], open = open }
end

local function keep(state, fp, owner, lease, kept)
  redis.call('HSET', key, 's', state, 'fp', fp, 'tok', owner, 'dl', text(now + lease))
  redis.call('PEXPIRE', key, kept)
end

local record, unreadable = read()
if unreadable then return { 'unreadable' } end
`

/** ARGV: state, fingerprint, owner, lease, how long the state is kept. */
const CLAIM = `${RECORD}
local state, fp, owner, lease, kept = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local isOurs = record and record.open and record.tok == owner
local isLeased = record and now < record.dl
if isOurs and record.state == 'pending' and state == 'pending' then return { 'claimed', now } end
if isOurs and record.state == 'sent' and state == 'sent' and isLeased then return { 'claimed', now } end
if record and not (isOurs and record.state == 'pending') then
  if record.fp ~= fp then return { 'mismatch', now } end
  if not record.open then return { 'settled', now, record.o } end
  if isLeased then return { 'in-flight', now } end
  if record.state == 'sent' then return { 'doubtful', now, record.tok, now - record.dl } end
end
keep(state, fp, owner, lease, kept)
return { 'claimed', now }
`

/** ARGV: owner, how long SENT is kept. */
const MARK_SENT = `${RECORD}
if not record or not record.open or record.tok ~= ARGV[1] or now >= record.dl then return { 'no' } end
redis.call('HSET', key, 's', 'sent')
redis.call('PEXPIRE', key, ARGV[2])
return { 'yes' }
`

/** ARGV: owner. */
const DOUBT = `${RECORD}
if not record or record.state ~= 'sent' or record.tok ~= ARGV[1] then return { 'no' } end
redis.call('HSET', key, 'dl', text(math.min(record.dl, now)))
return { 'yes' }
`

/** ARGV: previous owner, fingerprint, owner, lease, how long PENDING is kept. */
const RECLAIM = `${RECORD}
if record and record.state == 'pending' and record.tok == ARGV[3] then return { 'yes' } end
if not record or record.state ~= 'sent' or record.tok ~= ARGV[1] or now < record.dl then return { 'no' } end
keep('pending', ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5])
return { 'yes' }
`

/** ARGV: owner or nothing, state, outcome, how long it is kept. */
const FINISH = `${RECORD}
if not record or not record.open or (ARGV[1] ~= '' and record.tok ~= ARGV[1]) then return { 'no' } end
redis.call('HSET', key, 's', ARGV[2], 'o', ARGV[3])
redis.call('PEXPIRE', key, ARGV[4])
return { 'yes' }
`

/** ARGV: owner. */
const RELEASE = `${RECORD}
if not record or not record.open or record.tok ~= ARGV[1] then return { 'no' } end
redis.call('DEL', key)
return { 'yes' }
`

/**
 * Remembers in Redis which run of which server holds the records, and since when another one may have lost some.
 * Always writes, so that a server that takes no writes is found out. KEYS: the memory. ARGV: this run, or nothing where
 * INFO is forbidden; the run that this client met before, `?` for an unknown one, or nothing; for how long a loss matters.
 */
const GREET = `
local key, run, met, kept = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kind = redis.call('TYPE', key).ok
local isOurs = kind == 'hash' or kind == 'none'
if not isOurs then redis.call('DEL', key) end

local f = redis.call('HMGET', key, 'run', 'since')
local known, since = f[1], tonumber(f[2] or '')
local isEmptied = met ~= '' and not known
local isAnother = run ~= '' and known and known ~= '' and known ~= run
-- Somebody who knew no better has already greeted the emptied server.
local isUntold = run ~= '' and met ~= '' and met ~= '?' and met ~= run and not since
if not isOurs or isEmptied or isAnother or isUntold or (f[2] and not since) then since = now end
if since and now - since >= kept then since = nil end

redis.call('HSET', key, 'run', run ~= '' and run or known or '')
if since then redis.call('HSET', key, 'since', string.format('%.0f', since)) else redis.call('HDEL', key, 'since') end
return { now, since or -1 }
`

export interface Script {
  readonly lua: string
  /** By which Redis knows it. */
  readonly sha1: string
}

function script(lua: string): Script {
  return { lua, sha1: hash('sha1', lua) }
}

export const SCRIPTS = {
  claim: script(CLAIM),
  markSent: script(MARK_SENT),
  doubt: script(DOUBT),
  reclaim: script(RECLAIM),
  finish: script(FINISH),
  release: script(RELEASE),
  greet: script(GREET)
} as const
