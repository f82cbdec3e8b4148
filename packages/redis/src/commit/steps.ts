import { LOOK } from "../scripts.js";

/** The values that all commits of a backend share. In the scripts' text, as arguments cost time. */
export interface CommitSetup {
  readonly publish: "PUBLISH" | "SPUBLISH";
  /** The suffix of the names under which changes are published. */
  readonly suffix: string;
  /** The number of bytes of the prefix. */
  readonly prefixBytes: number;
  /** How many replicas must be connected to accept a write. */
  readonly replicas: number;
}

/*
 * The scripts of commits consist of these steps. No step defines a function on its usual path, which costs as
 * much as a command: parts that are needed twice are constants here.
 */

/** Refuses a write if too few replicas are connected: it would be applied, with an unknown outcome. */
export function needReplicas(replicas: number): string {
  return `
-- A replica that was silent for ten seconds is away, as in Redis' own min-replicas-max-lag. Without the right to use
-- INFO, only WAIT asks the replicas.
local info = redis.pcall('INFO', 'replication')
if type(info) == 'string' then
  local there = 0
  for lag in string.gmatch(info, 'slave%d+:[^\\r\\n]*state=online[^\\r\\n]*lag=(%-?%d+)') do
    if tonumber(lag) <= 10 then there = there + 1 end
  end
  if there < ${replicas} then
    return redis.error_reply('NOREPLICAS ' .. there .. ' of ${replicas} replicas are connected')
  end
end
`;
}

/**
 * Gives out the next version, which is never below the clock: a server that restarts without its data must
 * not give out a version again. Builds the version from the digits of the clock, because `%.0f` is slow.
 */
export const STAMP = `
    version = time[1] .. string.sub('00000' .. time[2], -6)
    local text = call('SET', keys[1], version, 'GET')
    local before = text and tonumber(text)
    last = now
    -- Another program may have overwritten the last version with a text, or with a number too large to
    -- increment.
    if before and before >= now and string.match(text, '^%d+$') and before < 9007199254740991 then
      last = before + 1
      version = string.format('%.0f', last)
      call('SET', keys[1], version)
    end
`;

/** Compares the checked entries. `failed` is set if one is not as expected. */
export const CHECK = `
  local _, absent = string.find(letters, '^%l*')
  local _, checks = string.find(letters, '^%l*%u*')
  local failed = absent > 0 and call('EXISTS', unpack(keys, k + 1, k + absent)) > 0
  for i = absent + 1, checks do
    -- Values can be large: read only the beginning, which has version and deadline.
    local version, deadline = string.match(call('GETRANGE', keys[k + i], 0, 40), '^(%d+) ([%d-]+) ')
    if version ~= args[a] or deadline ~= '-' and (tonumber(deadline) or 0) <= now then failed = true end
    a = a + 1
  end
`;

/** If a check failed, returns the entries of all checks, unless only expired entries were in the way. */
export function refuse({ replicas, publish, suffix }: CommitSetup): string {
  return `
  if failed then
    ${LOOK}
    local current, good = {}, true
    for i = 1, checks do
      add(current, call('GET', keys[k + i]))
      local version = current[3 * i - 2]
      if i <= absent then
        if version then good = false end
      elseif version ~= args[a - checks - 1 + i] or version == '?' then
        good = false
      end
    end
    if not good then
      ${replicas > 0 ? `call('${publish}', keys[1] .. '${suffix}', '')` : ""}
      return current
    end
  end
`;
}

/**
 * Publishes one change. One message for each key: a watch of one key must not wake for others. Publishing
 * without subscribers costs about 1 µs. Do not ask PUBSUB NUMSUB first: it does not count a subscriber that
 * is still connected to a former master, which passes on what the new master publishes.
 */
function tell({ publish, suffix }: CommitSetup, message: string): string {
  const name = (of: string): string => (suffix === "" ? of : `${of} .. '${suffix}'`);
  return `
      local message = ${message}
      call('${publish}', ${name("index")}, message)
      call('${publish}', ${name("entry")}, message)`;
}

const NAMES = (prefixBytes: number): string => `
      local entry = keys[k + i]
      local brace = string.find(entry, '}:', ${prefixBytes + 1}, true)
      local index, member = string.sub(entry, 1, brace), string.sub(entry, brace + 2)`;

/** Makes the writes of a commit, and publishes them. */
export function write(setup: CommitSetup): string {
  return `
  local deleted, expiring
  for i = 1, #letters do
    local letter = string.byte(letters, i)
    -- n and N: this entry is not written
    if letter ~= 110 and letter ~= 78 then ${NAMES(setup.prefixBytes)}
      -- d, D and 3
      if letter == 100 or letter == 68 or letter == 51 then
        if call('DEL', entry) == 1 then
          deleted = deleted or {}
          deleted[#deleted + 1] = i
        end
        wrote = true
        call('ZREM', index, member)
      else
        local mode, text = '', nil
        -- t, T and 2
        if letter == 116 or letter == 84 or letter == 50 then
          mode = args[a]
          local deadline = math.min(now + mode * 1000, 9007199254740991)
          text = version .. string.format(' %.0f ', deadline) .. args[a + 1]
          call('SET', entry, text, 'PXAT', math.ceil(deadline / 1000))
          a = a + 2
        else
          text = version .. ' - ' .. args[a]
          call('SET', entry, text)
          a = a + 1
        end
        wrote = true
        -- An entry that was checked at a version already has its key in the set.
        if (i <= absent or i > checks) and call('ZADD', index, 0, member) == 1 and mode ~= '' then
          expiring = expiring or {}
          expiring[index] = (expiring[index] or 0) + 1
        end
        ${tell(setup, "mode .. ' ' .. member .. '\\0' .. text")}
      end
    end
  end
`;
}

/** Publishes the deletes, last: a commit without puts gets its version only after them. */
export function tellDeletes(setup: CommitSetup): string {
  return `
  if deleted then
    for _, i in ipairs(deleted) do ${NAMES(setup.prefixBytes)}${tell(setup, "'delete ' .. member .. '\\0' .. version")}
    end
  end
`;
}

/**
 * Entries that expire leave their keys in the set. Checks two keys for each key added, on average, so that
 * the set holds at most about twice the living entries. Decides by chance: a fixed pace, by the clock or by a
 * count, could always miss. The commit is done, so nothing here may fail it.
 */
export const TIDY = `
  if expiring then
    for index, added in pairs(expiring) do
      local die = tonumber(string.sub(redis.sha1hex(version .. index), 1, 6), 16) % 8
      local eights = math.floor((added + die) / 8)
      if eights > 0 then
        -- A call in Lua takes at most 8000 arguments.
        local members, found = redis.pcall('ZRANDMEMBER', index, math.min(16 * eights, 4096)), {}
        for i, member in ipairs(members) do found[i] = index .. ':' .. member end
        if redis.pcall('EXISTS', unpack(found)) ~= #found then
          for i, member in ipairs(members) do
            if redis.pcall('EXISTS', found[i]) == 0 then redis.pcall('ZREM', index, member) end
          end
        end
      end
    end
  end
`;
