import { CLOCK, type Script, script } from "../scripts.js";
import { CHECK, type CommitSetup, needReplicas, refuse, STAMP, TIDY, tellDeletes, write } from "./steps.js";

/**
 * The script of one commit.
 *
 * KEYS: the last version; the entries that the commit checks or writes, each once: first those that must be
 * absent, then those that must be at a version, then those that it writes unchecked.
 * ARGV: a letter for each of its keys; the versions of the checks; for each put, in the order of the keys,
 * its time to live in ms, if it has one, and its value.
 * The letters: n for no write, p for a put, t for a put with a time to live, d for a delete of an entry that
 * must be absent; N, P, T, D for one that must be at a version; 1, 2, 3 for the writes of one that is not
 * checked.
 *
 * Publishes each write, under the name of the set and that of the entry: "delete" or the time to live, the
 * key, NUL, the new version or the whole new entry.
 * Returns the new version, or, if a check failed, a list like that of READ for all checks.
 *
 * A caller that needs its write on replicas sends WAIT afterwards. WAIT covers only what this connection has
 * caused to be sent to replicas, so a commit with a failed check publishes an empty message to them. This is
 * needed because the entries that it returns may come from a write of ours that no replica has yet.
 */
export function commitScript(setup: CommitSetup): Script {
  return script(`${CLOCK}
  local call, keys, args, k, a = redis.call, KEYS, ARGV, 1, 2
  local letters, last, version, wrote = args[1], nil, nil, nil
  ${setup.replicas > 0 ? needReplicas(setup.replicas) : ""}${CHECK}${refuse(setup)}
  -- Redis does not undo the writes of a failed script, but it refuses a script for lack of memory only at its first
  -- write. So a commit with puts begins with a write that a full server refuses, and a commit of deletes alone with
  -- one that it takes: deletes must work on a full server.
  local puts = string.find(letters, '[pPtT12]')
  if puts then ${STAMP} end
  ${write(setup)}
  if not puts then ${STAMP} end
  ${tellDeletes(setup)}${TIDY}
  return version
  `);
}

/**
 * The script of several commits, which it applies one after the other. Each is judged alone: one whose check
 * fails, or that the server fails, changes nothing for those before and after it.
 *
 * KEYS: the last version; for each commit its entries, as for the script of one.
 * ARGV: "puts" if any commit puts an entry; for each commit the number of its arguments, and these.
 *
 * Returns for each commit what the script of one returns. For a commit that failed in the server: "refused"
 * if it changed nothing, otherwise "unknown", and then the error. An error of the whole call means that it
 * changed nothing.
 */
export function joinedScript(setup: CommitSetup): Script {
  return script(`${CLOCK}
  local call, keys, args = redis.call, KEYS, ARGV
  local puts = args[1] == 'puts'
  -- last: the last version that this call gave out. full: the error of a full server. dirty: whether this
  -- call changed anything. wrote: whether its present commit did; nil while that commit only checks.
  local last, full, dirty, wrote

  local function stamp()
    local version
    if last then
      last = last + 1
      return string.format('%.0f', last)
    end
    ${STAMP}
    dirty = true
    return version
  end

  -- What pcall catches is a text in some versions of the server, and a table in others.
  local function textOf(problem)
    return type(problem) == 'table' and problem.err or tostring(problem)
  end

  local function commit(letters, k, a)
    ${CHECK}${refuse(setup)}
    wrote = false
    local version
    -- As in the script of one, a write that a full server refuses comes first. Otherwise the deletes of one
    -- commit would let the puts of the next pass.
    if puts and not full then
      local ok, result = pcall(stamp)
      if ok then
        version = result
      elseif string.find(textOf(result), '^OOM') then
        full = textOf(result)
      else
        error(textOf(result), 0)
      end
    end
    if full and string.find(letters, '[pPtT12]') then error(full, 0) end
    ${write(setup)}
    version = version or stamp()
    ${tellDeletes(setup)}${TIDY}
    return version
  end

  local results, k, a = {}, 1, 2
  while args[a] do
    local letters = args[a + 1]
    wrote = nil
    local ok, result = pcall(commit, letters, k, a + 2)
    if not ok then
      local text = textOf(result)
      -- The first write failed, so all would. Return the error to ioredis, which then looks for another
      -- master.
      if wrote == false and not dirty and not string.find(text, '^OOM') then return redis.error_reply(text) end
      result = (wrote and 'unknown ' or 'refused ') .. text
    end
    if wrote then dirty = true end
    results[#results + 1] = result
    k, a = k + #letters, a + 1 + args[a]
  end
  if last and last > now then call('SET', keys[1], string.format('%.0f', last)) end
  return results
  `);
}
