import { createHash } from "node:crypto";

/*
 * The scripts that run inside the server. For all other clients a script is one atomic step, and all
 * atomicity of this backend rests on that.
 *
 * The data of a channel "jobs" in Redis, with the prefix "ojm:":
 *
 *   ojm:{jobs}          sorted set   the keys of its entries, with score 0: so the set is ordered by bytes
 *   ojm:{jobs}:KEY      string       its version, deadline in µs (or "-") and value, with spaces
 *   ojm:{jobs}          pub/sub      what was written, for watches
 *   ojm:{jobs}:KEY      pub/sub      what was written to this entry, for watches of it alone
 *   ojm:version         string       the last version (in a Cluster one per channel, ojm:{jobs}.version)
 *
 * Redis itself expires an entry at its deadline, but the key of the entry stays in the set. A script that
 * finds such a key removes it in the same step that saw the entry missing, so the key of a fresh write is
 * never removed.
 *
 * Numbers in Lua are doubles, exact up to 2^53. Microseconds since 1970 reach that in the year 2255.
 */

const LOOK = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- Version, value and remaining microseconds of an entry. Redis shows a key during the whole millisecond of its
-- deadline. The deadline in the entry is exact: from that moment on the entry is gone. A value that ojm did not
-- write gets the version "?". It must not fail the whole script, which may concern other entries too.
local function look(entry)
  if not entry or entry == '' then return false, false, false end
  local version, deadline, value = string.match(entry, '^(%d+) ([%d-]+) (.*)$')
  if deadline == '-' then return version, value, false end
  local last = tonumber(deadline)
  if not last then return '?', '', false end
  local left = last - now
  if left <= 0 then return false, false, false end
  return version, value, left
end

local function add(list, entry)
  local version, value, left = look(entry)
  local n = #list
  list[n + 1], list[n + 2], list[n + 3] = version, value, left
end
`;

/**
 * KEYS: the entries to read.
 * Returns version, value and remaining microseconds of each.
 */
const READ = `${LOOK}
local found = {}
for i = 1, #KEYS do add(found, redis.call('GET', KEYS[i])) end
return found
`;

/**
 * KEYS: the set of keys.
 * ARGV: lower and upper bound, "reverse" or "", the most entries to return, "values" or "".
 * Returns where to continue ("" at the end), then key, version, value and remaining microseconds of each
 * entry.
 */
const SCAN = `${LOOK}
local from, to, reverse, limit, values = ARGV[1], ARGV[2], ARGV[3] ~= '', tonumber(ARGV[4]), ARGV[5] ~= ''
local found, looked, result = 0, 0, {''}

-- A script stops the whole server. After a long row of expired entries, return: the caller calls again.
while found < limit and looked < 10000 do
  local want = math.min(limit - found, 1000)
  local members
  if reverse then
    members = redis.call('ZRANGE', KEYS[1], to, from, 'BYLEX', 'REV', 'LIMIT', 0, want)
  else
    members = redis.call('ZRANGE', KEYS[1], from, to, 'BYLEX', 'LIMIT', 0, want)
  end
  for _, member in ipairs(members) do
    local version, value, left = look(redis.call('GET', KEYS[1] .. ':' .. member))
    if version then
      local n = #result
      result[n + 1], result[n + 2], result[n + 3], result[n + 4] = member, version, values and value or '', left
      found = found + 1
    else
      -- A server that refuses writes (its disk is full, say) can still be read.
      redis.pcall('ZREM', KEYS[1], member)
    end
  end
  looked = looked + #members
  if #members < want then return result end
  local beyond = '(' .. members[#members]
  if reverse then to = beyond else from = beyond end
  result[1] = beyond
end
return result
`;

/**
 * KEYS: the last version; the entry of each check; for each write, the entry and the set of keys.
 * ARGV: the number of checks; the number of puts; PUBLISH or SPUBLISH; the suffix of the names under which
 * changes are published; how many replicas must be connected to accept a write; the version of each check (""
 * for absent); for each write, "delete" or its time to live in ms ("" for none), and the value.
 * Publishes each write, under the name of the set and that of the entry: "delete" or the time to live, the
 * key, NUL, the new version or the whole new entry.
 * Returns the new version, or, if a check failed, a list like that of READ for all checks.
 *
 * A caller that needs its write on replicas sends WAIT, which covers no more than this connection has sent to
 * replicas. So a failed check sends them something too: the entries that it returns may come from a write of
 * ours that no replica has.
 */
const COMMIT = `${LOOK}
local checks, puts, publish, database = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local replicas = tonumber(ARGV[5])

-- Refuse a write if too few replicas are there: it would be applied, and its outcome would be unknown. A replica
-- that was silent for ten seconds is away, as in Redis' own min-replicas-max-lag. Without the right to use INFO,
-- only WAIT asks the replicas.
if replicas > 0 then
  local info = redis.pcall('INFO', 'replication')
  if type(info) == 'string' then
    local there = 0
    for lag in string.gmatch(info, 'slave%d+:[^\\r\\n]*state=online[^\\r\\n]*lag=(%-?%d+)') do
      if tonumber(lag) <= 10 then there = there + 1 end
    end
    if there < replicas then
      return redis.error_reply('NOREPLICAS ' .. there .. ' of ' .. replicas .. ' replicas are connected')
    end
  end
end

local present = {}
for i = 1, checks do
  local key, expected = KEYS[1 + i], ARGV[5 + i]
  -- Values can be large: read only the beginning, which has version and deadline. A missing key gives "".
  local beginning = redis.call('GETRANGE', key, 0, 40)
  local version = beginning ~= '' and look(beginning) or ''
  if version ~= expected or version == '?' then
    local current = {}
    for j = 1, checks do add(current, redis.call('GET', KEYS[1 + j])) end
    if replicas > 0 then redis.call(publish, KEYS[1] .. database, '') end
    return current
  end
  if version ~= '' then present[key] = true end
end

-- One message for each key: a watch of one key must not wake for others. To publish without subscribers costs
-- about 1 µs. Do not ask PUBSUB NUMSUB first: a subscriber that is still connected to a former master hears only
-- what the new master publishes in any case.
local function tell(index, entry, message)
  redis.call(publish, index .. database, message)
  redis.call(publish, entry .. database, message)
end

-- Never below the clock: a server that restarts without its data must not give out a version again.
local version
local function stamp()
  version = string.format('%.0f', now)
  local last = redis.call('SET', KEYS[1], version, 'GET')
  -- Somebody overwrote the last version: it is no number, or too large to count on.
  local before = last and string.match(last, '^%d+$') and tonumber(last)
  if before and before >= now and before < 9007199254740991 then
    version = string.format('%.0f', before + 1)
    redis.call('SET', KEYS[1], version)
  end
end

-- Redis does not undo the writes of a failed script, but it refuses a script for lack of memory only at its first
-- write. So a commit with puts begins with a write that a full server refuses, and a commit of deletes alone with
-- one that it takes: deletes must work on a full server.
if puts > 0 then stamp() end

local deleted, expiring = {}, {}
local a = 6 + checks
for k = 2 + checks, #KEYS, 2 do
  local entry, index, mode, value = KEYS[k], KEYS[k + 1], ARGV[a], ARGV[a + 1]
  local member = string.sub(entry, #index + 2)
  if mode == 'delete' then
    if redis.call('DEL', entry) == 1 then deleted[#deleted + 1] = k end
    redis.call('ZREM', index, member)
  else
    local text
    if mode == '' then
      text = version .. ' - ' .. value
      redis.call('SET', entry, text)
    else
      local deadline = math.min(now + mode * 1000, 9007199254740991)
      text = version .. string.format(' %.0f ', deadline) .. value
      redis.call('SET', entry, text, 'PXAT', string.format('%.0f', math.ceil(deadline / 1000)))
    end
    local isNew = not present[entry] and redis.call('ZADD', index, 0, member) == 1
    if isNew and mode ~= '' then expiring[index] = (expiring[index] or 0) + 1 end
    tell(index, entry, mode .. ' ' .. member .. '\\0' .. text)
  end
  a = a + 2
end

if puts == 0 then stamp() end
for _, k in ipairs(deleted) do
  local entry, index = KEYS[k], KEYS[k + 1]
  tell(index, entry, 'delete ' .. string.sub(entry, #index + 2) .. '\\0' .. version)
end

-- Entries that expire leave their keys in the set. Look at two keys for each key added, on average, so that the set
-- holds at most about twice the living entries. Decide by chance: a fixed pace, by the clock or by a count, could
-- always miss. The commit is done, so nothing here may fail it.
local function removeExpired(index, added)
  local die = tonumber(string.sub(redis.sha1hex(version .. index), 1, 6), 16) % 8
  local eights = math.floor((added + die) / 8)
  if eights == 0 then return end
  -- A call in Lua takes at most 8000 arguments.
  local members, keys = redis.pcall('ZRANDMEMBER', index, math.min(16 * eights, 4096)), {}
  for i, member in ipairs(members) do keys[i] = index .. ':' .. member end
  if redis.pcall('EXISTS', unpack(keys)) == #keys then return end
  for i, member in ipairs(members) do
    if redis.pcall('EXISTS', keys[i]) == 0 then redis.pcall('ZREM', index, member) end
  end
end
for index, added in pairs(expiring) do removeExpired(index, added) end
return version
`;

/** A script, and the hash by which a server that has seen it before identifies it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

function script(source: string): Script {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

export const readScript: Script = script(READ);
export const scanScript: Script = script(SCAN);
export const commitScript: Script = script(COMMIT);
