import type { Kept, NamedMutant } from "../types.js";

type Row = readonly [name: string, search: string, replace: string, why: string];

const of = (file: string, tests: readonly string[], ...rows: readonly Row[]): NamedMutant[] =>
  rows.map(([name, search, replace, why]) => ({ name, file, search, replace, why, tests }));

const redisTests = ["packages/redis/src/backend.test.ts", "packages/redis/src/watch/watches.test.ts"];

const redis: readonly NamedMutant[] = [
  ...of(
    "packages/redis/src/scripts.ts",
    redisTests,
    [
      "R01 visible at the deadline",
      "if left <= 0 then",
      "if left < -50000 then",
      "an expired session still counts as alive",
    ],
    [
      "R02 a failed check is passed over",
      "if version ~= expected or version == '?' then",
      "if version == '?' then",
      "two hold one lock",
    ],
    [
      "R03 only the first check counts",
      "for i = 1, checks do\n  local key",
      "for i = 1, math.min(checks, 1) do\n  local key",
      "a lock is taken by a session that is gone",
    ],
    [
      "R04 what is foreign is free",
      "local version = beginning ~= '' and look(beginning) or ''",
      "local version = beginning ~= '' and look(beginning) or ''\n  if version == '?' then version = '' end",
      "a damaged lock is taken",
    ],
    [
      "R05 no deadline in the entry",
      "text = version .. string.format(' %.0f ', deadline) .. value",
      "text = version .. ' - ' .. value",
      "an entry shows no time that is left",
    ],
    [
      "R06 no expiry in Redis",
      "redis.call('SET', entry, text, 'PXAT', string.format('%.0f', math.ceil(deadline / 1000)))",
      "redis.call('SET', entry, text)",
      "memory fills with dead entries",
    ],
    [
      "R07 expiry rounded down",
      "math.ceil(deadline / 1000)",
      "math.floor(deadline / 1000)",
      "an entry is gone up to a ms too early",
    ],
    ["R08 the ttl in the wrong unit", "now + mode * 1000", "now + mode", "a lock is free a thousand times too early"],
    [
      "R09 versions by the clock alone",
      "if before and before >= now and",
      "if false and before and before >= now and",
      "a version is given out twice",
    ],
    [
      "R10 the last version is not kept",
      "redis.call('SET', KEYS[1], version)\n  end",
      "\n  end",
      "two commits of one µs have one version",
    ],
    [
      "R11 a delete leaves the entry",
      "if redis.call('DEL', entry) == 1 then deleted[#deleted + 1] = k end",
      "if redis.call('EXISTS', entry) == 1 then deleted[#deleted + 1] = k end",
      "a released lock stays",
    ],
    [
      "R12b a delete leaves its key in the set",
      "redis.call('ZREM', index, member)\n  else",
      "\n  else",
      "the set grows for ever",
    ],
    [
      "R13 a delete is not published",
      "if redis.call('DEL', entry) == 1 then deleted[#deleted + 1] = k end",
      "redis.call('DEL', entry)",
      "a waiter is not woken by a release",
    ],
    [
      "R14 a put is not published",
      "tell(index, entry, mode .. ' '",
      "if false then tell() end; local _ = (mode .. ' '",
      "a watch misses writes",
    ],
    [
      "R15 not published under the entry",
      "redis.call(publish, entry .. database, message)",
      "",
      "a watch of one key hears nothing",
    ],
    [
      "R16 not published under the set",
      "redis.call(publish, index .. database, message)",
      "",
      "a watch of a channel hears nothing",
    ],
    [
      "R17 the current state of the first check alone",
      "for j = 1, checks do add",
      "for j = 1, 1 do add",
      "a loser is told that a lock is free",
    ],
    [
      "R18 a full server is written to by halves",
      "if puts > 0 then stamp() end",
      "if puts > 1000000 then stamp() end",
      "a commit is half done",
    ],
    ["R19 a delete needs memory", "if puts == 0 then stamp() end", "", "a delete has no version"],
    [
      "R20 the keys of expired entries pile up",
      "for index, added in pairs(expiring) do removeExpired(index, added) end",
      "",
      "the set grows for ever",
    ],
    [
      "R21 keys of living entries are swept away",
      "if redis.pcall('EXISTS', keys[i]) == 0 then",
      "if true then",
      "entries vanish from scans",
    ],
    [
      "R22 a scan ends at a row of expired entries",
      "result[1] = beyond\nend\nreturn result",
      "end\nreturn result",
      "a long history is cut short",
    ],
    [
      "R23 a scan takes away keys of living entries",
      "      redis.pcall('ZREM', KEYS[1], member)\n    end",
      "    end\n    redis.pcall('ZREM', KEYS[1], member)",
      "entries vanish from scans",
    ],
    [
      "R24 a scan leaves keys of expired entries",
      "redis.pcall('ZREM', KEYS[1], member)",
      "local _ = member",
      "scans get slower for ever",
    ],
    [
      "R25 the limit of a scan is one too many",
      "while found < limit and",
      "while found <= limit and",
      "pages are longer than asked for",
    ],
  ),
  ...of(
    "packages/redis/src/scripts.ts",
    ["packages/redis/src/connection/replicas.test.ts"],
    [
      "R26 writes without replicas",
      "if there < replicas then",
      "if false then",
      "a master without replicas takes writes that it will lose",
    ],
    [
      "R27 a failed check sends nothing to replicas",
      "if replicas > 0 then redis.call(publish, KEYS[1] .. database, '') end",
      "",
      "a session takes what no replica has for proof that it lives",
    ],
  ),
  ...of(
    "packages/redis/src/connection/replicas.ts",
    ["packages/redis/src/connection/replicas.test.ts"],
    [
      "R28 the answer of WAIT is not read",
      "if (reached >= this.count) return;",
      "if (cause === undefined) return;",
      "a write that no replica has is acknowledged",
    ],
    [
      "R29 unconfirmed writes were not applied",
      'const outcome = applied ? "unknown" : "not-applied";',
      'const outcome = "not-applied" as const;',
      "a lock stays that nobody clears away",
    ],
    [
      "R30 each commit asks replicas alone",
      "if (before === undefined) return this.#send(client);",
      "if (before !== this.#next) return this.#send(client);",
      "a replica that hangs stops all calls for minutes",
    ],
  ),
  ...of(
    "packages/redis/src/backend.ts",
    [...redisTests, "packages/redis/src/connection/replicas.test.ts"],
    [
      "R31 a failed check is not confirmed",
      'await replicas?.confirm(client, typeof reply === "string");',
      'if (typeof reply === "string") await replicas?.confirm(client, true);',
      "a holder that was cut off keeps its lease",
    ],
    [
      "R32 the empty version is absence",
      'version === null ? "" : version || "none"',
      'version === null ? "" : version',
      "a check of no version passes where nothing is",
    ],
    ["R33 a ttl is ignored", 'ttl === undefined ? "" : String(ttl)', '""', "a dead session never ends"],
    [
      "R34 a script that was flushed is not sent again",
      "if (!isNoScript(error)) throw error;",
      "throw error;",
      "all calls fail after a restart",
    ],
    [
      "R35 an empty page ends a scan",
      'if (entries.length > 0 || goOn === "")',
      "if (true)",
      "a history looks empty behind expired entries",
    ],
    [
      "R36 a scan backward goes on at the wrong end",
      "reverse ? { from: range.from, to: goOn }",
      "reverse ? { from: goOn, to: range.to }",
      "a page comes twice",
    ],
    [
      "R37 time that is left in the wrong unit",
      "expiresIn: left / 1_000",
      "expiresIn: left",
      "a dead session is waited for a thousand times too long",
    ],
    [
      "R38 reads more at once than Redis can",
      "batch.length === BATCH",
      "batch.length === Infinity",
      "a large read fails",
    ],
  ),
  ...of(
    "packages/redis/src/connection/call.ts",
    ["packages/redis/src/connection/call.test.ts", "packages/redis/src/faults.test.ts"],
    ["R39 sent and broken is sent again", "if (!neverSent(error)) {", "if (false) {", "a commit is applied twice"],
    [
      "R40 an abort never was sent",
      'const outcome = this.#sent ? "unknown" : "not-applied";',
      'const outcome = "not-applied" as const;',
      "an aborted commit is applied and nobody clears it away",
    ],
    [
      "R41 overdue and never sent",
      "this.#owner.overdue(this.#sent)",
      "this.#owner.overdue(false)",
      "a commit of unknown outcome is told as not applied",
    ],
    [
      "R42 not sent fails",
      "if (!this.#settled) this.#owner.wait(this);",
      "this.fail(this.#owner.explain(error));",
      "a call in the moment of a break has an unknown outcome",
    ],
  ),
  ...of(
    "packages/redis/src/errors.ts",
    ["packages/redis/src/errors.test.ts", "packages/redis/src/faults.test.ts"],
    [
      "R43 what was sent was not applied",
      'const outcome = sent ? "unknown" : "not-applied";',
      'const outcome = "not-applied" as const;',
      "a commit that was applied is told as not applied",
    ],
    [
      "R44 reads are of unknown outcome",
      'if (!isChannelError(error) || error.outcome === "not-applied") return error;',
      "return error;",
      "a read is told as a write",
    ],
    [
      "R45 passwords in the cause",
      "const copy = new Error(error.message);",
      "const copy = error;",
      "a password stands in a log",
    ],
    [
      "R46 a lasting fault is tried for ever",
      "return !error.retryable;",
      "return false;",
      "a wrong password is told only after the deadline",
    ],
    [
      "R47 memory that is full is final",
      'OOM: meaning("FULL", true',
      'OOM: meaning("FULL", false',
      "nobody tries again on a full server",
    ],
  ),
  ...of(
    "packages/redis/src/watch/subscriptions.ts",
    ["packages/redis/src/watch/subscriptions.test.ts", "packages/redis/src/watch/watches.test.ts"],
    [
      "R48 no ping (R12)",
      'if (connection.isCurrent()) connection.client.call("ping").catch(() => {});',
      "if (connection.isCurrent()) {}",
      "a watch that hears nothing is not found",
    ],
    [
      "R49 no gap after a break",
      "if (subscription.live) subscription.listener.gap();",
      "",
      "a waiter sleeps through a release",
    ],
    [
      "R50 a connection is ended by each watch",
      "if (this.#ended === client) return;",
      "",
      "MaxListenersExceededWarning",
    ],
    [
      "R51 the last watch leaves its subscription",
      "left.catch(() => {}); // a broken connection has no subscriptions",
      "void left;",
      "an error that nobody catches",
    ],
  ),
];

const etcdTests = [
  "packages/etcd/src/backend.test.ts",
  "packages/etcd/src/expiry/ttl.test.ts",
  "packages/etcd/src/calls/requests.test.ts",
  "packages/etcd/src/expiry/deadlines.test.ts",
  "packages/etcd/src/expiry/expiry.test.ts",
];

const leaseTests = ["packages/etcd/src/expiry/leases.test.ts"];

const etcd: readonly NamedMutant[] = [
  ...of(
    "packages/etcd/src/expiry/expiry.ts",
    etcdTests,
    [
      "E01 a read hides an expired entry",
      "    await Promise.all(expired.map(({ key, version }) => this.#remove(key, version)));\n    return undefined;",
      "    return entries;",
      "another process still sees it",
    ],
    ["E02 shown at its deadline", "return left > 0 ?", "return left > -1_000 ?", "a dead session counts as alive"],
    ["E03 the lease is not asked", "await this.#learn(raw);", "", "a newcomer waits a whole ttl"],
    [
      "E04 a commit passes an expired version",
      "if (due.length > 0) await Promise.all(due);",
      "",
      "a session that is over is renewed",
    ],
    ["E05 a remove that does not note it", "this.deadlines.gone(key, version);\n  }", "}", "each commit deletes again"],
    [
      "E06 no lease is an end",
      "return Number(TTL) < 0 ? Number.POSITIVE_INFINITY : (Number(TTL) + 1) * 1000;",
      "return (Number(TTL) + 1) * 1000;",
      "a new leader ends all sessions",
    ],
    [
      "E07 seconds rounded down",
      "(Number(TTL) + 1) * 1000",
      "Number(TTL) * 1000",
      "an entry ends up to a second too early",
    ],
  ),
  ...of(
    "packages/etcd/src/backend.ts",
    etcdTests,
    [
      "E08 an own write is not remembered",
      "this.#expiry.deadlines.seen(key, version, ttl);",
      "void key;",
      "the writer does not know the end of its own session",
    ],
    [
      "E09 any fault is tried again",
      'if (!isChannelError(error) || !error.message.includes("requested lease not found")) throw error;',
      "",
      "a commit is applied twice",
    ],
    [
      "E10 leases that are gone stay",
      "this.#leases.clear();",
      "",
      "all writes fail for a second after a lease was revoked",
    ],
    [
      "E11 a delete of nothing has an old version",
      "return deleted ? version : await this.#newRevision();",
      "return version;",
      "a version is given out twice",
    ],
    [
      "E13 more than a transaction takes",
      "if (ops > MAX_OPS) {",
      "if (ops > 2 * MAX_OPS) {",
      "the error is etcd's own",
    ],
    ["E14 a failed check is won", "if (response.succeeded) return", "if (true) return", "two hold one lock"],
  ),
  ...of(
    "packages/etcd/src/calls/requests.ts",
    etcdTests,
    [
      "E15 absence is not checked",
      'target: "Create", result: "Equal", create_revision: "0"',
      'target: "Mod", result: "Equal", mod_revision: NO_REVISION',
      "nothing can be created",
    ],
    [
      "E16 any text is a version",
      "VERSION.test(version) ? version : NO_REVISION",
      "version",
      "a check of 0 passes where nothing is",
    ],
    [
      "E17 deletes whatever is there",
      "{ compare: [compare(key, version)], success: [{ request_delete_range: { key } }], failure: [] }",
      "{ compare: [], success: [{ request_delete_range: { key } }], failure: [] }",
      "a fresh lock is deleted",
    ],
    [
      "E18 no lease",
      "lease === undefined ? put : { ...put, lease: lease.id }",
      "put",
      "an entry whose process is gone stays for ever",
    ],
  ),
  ...of(
    "packages/etcd/src/expiry/leases.ts",
    etcdTests,
    [
      "E19 a lease as short as the ttl",
      "this.#slack = WINDOW + deadline;",
      "this.#slack = 0;",
      "an entry ends before its time",
    ],
    [
      "E20 a lease for each entry",
      "return grant !== undefined && performance.now() < grant.asked + WINDOW ? grant : undefined;",
      "return undefined;",
      "etcd's leases do not scale to many",
    ],
    [
      "E21 a lease is shared for ever",
      "performance.now() < grant.asked + WINDOW ? grant",
      "grant !== null ? grant",
      "an entry ends before its time",
    ],
  ),
  ...of(
    "packages/etcd/src/expiry/leases.ts",
    leaseTests,
    [
      "E22 a failed grant is kept",
      "if (this.#grants.get(seconds) === grant) this.#grants.delete(seconds);",
      "",
      "writes fail for a second after a fault",
    ],
    [
      "E23 written after the lease may end",
      "grant.asked + seconds * 1000 - ttl",
      "grant.asked + seconds * 1000 + 1e9",
      "an entry ends before its time",
    ],
  ),
  ...of(
    "packages/etcd/src/expiry/deadlines.ts",
    etcdTests,
    [
      "E24 a deadline starts anew with each look",
      "known.version === version && known.due <= now + ttl) {",
      "known.version === version && known.due < now) {",
      "a dead session never ends where it is looked at",
    ],
    [
      "E25 a late reply displaces a later version",
      "if (known !== undefined && Number(known.version) > Number(version)) return ttl;",
      "",
      "a fresh session is judged by an old one",
    ],
    [
      "E26 what is gone is expired",
      "known !== undefined && !known.gone && known.due",
      "known !== undefined && known.due",
      "each commit deletes again",
    ],
  ),
];

const sqliteTests = [
  "packages/sqlite/src/store/transaction.test.ts",
  "packages/sqlite/src/store/commit-queue.test.ts",
  "packages/sqlite/src/store/deadlines.test.ts",
  "packages/sqlite/src/store/reader.test.ts",
  "packages/sqlite/src/backend.test.ts",
  "packages/sqlite/src/watch/tail.test.ts",
  "test/conformance/sqlite.test.ts",
];

const sqlite: readonly NamedMutant[] = [
  ...of(
    "packages/sqlite/src/store/transaction.ts",
    sqliteTests,
    ["Q01 another process may write in between", '"BEGIN IMMEDIATE"', '"BEGIN"', "two hold one lock"],
    ["Q02 a failed check is passed over", "if (!this.#holds(check)) return", "if (false) return", "two hold one lock"],
    [
      "Q03 an expired entry is there",
      "if (found > 0) return version === String(found);",
      "if (found !== 0) return version === String(Math.abs(found));",
      "a session that is over is renewed",
    ],
    [
      "Q04 a write over keeps the deadline",
      "version = excluded.version, deadline = NULL, boot = NULL, expires = NULL, value",
      "version = excluded.version, value",
      "an entry without ttl vanishes",
    ],
    [
      "Q05 versions are not kept",
      "if (!same) this.#writeMeta",
      "if (false) this.#writeMeta",
      "a version is given out twice",
    ],
    ["Q06 the version does not go on", "this.version++;", "", "a stale version is accepted"],
    [
      "Q07 a refused commit is told of the first check alone",
      "current: checks.map(({ key })",
      "current: checks.slice(0, 1).map(({ key })",
      "a loser is told that a lock is free",
    ],
    [
      "Q08 a delete of nothing is a change",
      "if (was) this.#record",
      "this.#record",
      "a watch is told of a delete of nothing",
    ],
    [
      "Q09 nobody is woken",
      "for (const watcher of watchers) this.interested.add(watcher);",
      "",
      "a waiter of another process sleeps on",
    ],
    ["Q10 not rolled back", 'if (this.#db.inTransaction) this.#db.exec("ROLLBACK");', "", "all later commits fail"],
    [
      "Q11 who is woken is not forgotten",
      "if (this.interested.size > 0) this.interested.clear();",
      "",
      "all are woken by each commit",
    ],
    ["Q12 a moment of the last transaction", "this.#at = undefined;", "", "nothing expires"],
  ),
  ...of(
    "packages/sqlite/src/store/commit-queue.ts",
    sqliteTests,
    ["Q13 one fault fails all", "if (batch.length > 1) {", "if (false) {", "a commit suffers from another one"],
    [
      "Q14 a failed disk was not written",
      'unknown ? "unknown" : "not-applied"',
      '"not-applied"',
      "a commit turns up after a crash",
    ],
    [
      "Q15 patience without end",
      "if (pending.giveUp === 0) pending.giveUp = now + PATIENCE;",
      "pending.giveUp = now + PATIENCE;",
      "a commit hangs behind another process",
    ],
    ["Q16 aborted and done", "if (pending.signal?.aborted) {", "if (false) {", "an aborted commit is applied"],
    [
      "Q17 a reader does not see its own writes",
      'while (this.#state === "soon") this.#turn();',
      "",
      "a program does not see what it wrote",
    ],
    ["Q18 busy fails", "if (isBusy(error)) return false;", "", "a commit fails as another process writes"],
    [
      "Q19 answered before it is written",
      "      committing = true;\n      transaction.commit();",
      "      committing = true;\n      for (let i = 0; i < batch.length; i++) batch[i]?.resolve(results[i] as never);\n      transaction.commit();",
      "a commit that failed is told as done",
    ],
    [
      "Q20 the order is lost",
      "this.#pending = batch.concat(this.#pending);\n      this.#wait();",
      "this.#pending = this.#pending.concat(batch);\n      this.#wait();",
      "a later write comes before an earlier one",
    ],
    [
      "Q21 all alone",
      "this.#alone = Math.max(0, this.#alone - 1);\n    for",
      "for",
      "each commit waits for the disk alone from then on",
    ],
  ),
  ...of(
    "packages/sqlite/src/store/deadlines.ts",
    sqliteTests,
    [
      "Q22 by the wall clock",
      "if (row.boot === this.boot) return row.deadline - at.mono;",
      "",
      "a clock that jumps steals locks",
    ],
    [
      "Q23 another boot by the monotonic clock",
      "return (row.expires ?? 0) - at.wall;",
      "return row.deadline - at.mono;",
      "after a reboot locks stay for weeks",
    ],
    ["Q24 listed at the deadline", "deadline > :mono", "deadline > :mono - 60000", "a scan counts what is over"],
    [
      "Q25 no boot is the same boot",
      'this.boot = boot === "" ? null : boot;',
      "this.boot = boot;",
      "a deadline of another boot is judged by the wrong clock",
    ],
  ),
  ...of(
    "packages/sqlite/src/store/reader.ts",
    sqliteTests,
    ["Q26 shown at its deadline", "if (expiresIn <= 0) return undefined;", "", "a dead session counts as alive"],
    [
      "Q27 keys are read one by one",
      "return this.snapshot(() => {\n      const at",
      "return (() => {\n      const at",
      "a reader sees half a commit",
    ],
    [
      "Q28 the page before the last is the last",
      "const more = rows.length > limit;",
      "const more = rows.length > limit + 1;",
      "a history is cut short",
    ],
    ["Q29 the end of a range belongs to it", "key < :to", "key <= :to", "a page comes twice"],
    [
      "Q30 a read transaction stays open",
      "if (this.#db.inTransaction) this.#commit.run();",
      "",
      "all later commits fail",
    ],
  ),
];

const levelTests = [
  "packages/level/src/ttl.test.ts",
  "packages/level/src/level.test.ts",
  "packages/level/src/processes.test.ts",
  "test/conformance/level.test.ts",
];

const level: readonly NamedMutant[] = [
  ...of(
    "packages/level/src/commit-queue.ts",
    levelTests,
    [
      "L01 a failed check is passed over",
      "if ((this.#entry(key)?.version ?? null) === version) continue;",
      "continue;",
      "two hold one lock",
    ],
    [
      "L02 judged by the disk alone",
      "return this.#overlay.has(key) ? this.#overlay.get(key) : this.#store.record(key);",
      "return this.#store.record(key);",
      "two commits of one turn both win",
    ],
    [
      "L03 answered before it is on the disk",
      "    try {\n      await this.#write();",
      "    for (const answer of answers) answer();\n    try {\n      await this.#write();",
      "a commit that failed is told as done",
    ],
    [
      "L04 a fresh write is deleted as expired",
      "if (this.#record(key)?.version === version) this.#overlay.set(key, undefined);",
      "this.#overlay.set(key, undefined);",
      "a fresh lock is deleted",
    ],
    ["L05 what is expired stays", "this.#dropExpired();\n", "\n", "the disk fills with dead entries"],
    [
      "L06b versions are not put aside",
      "versions.last > versions.reserved ? versions.last + RESERVE : undefined",
      "undefined as bigint | undefined",
      "a version is given out twice after a restart",
    ],
    [
      "L07 put aside though the write failed",
      "    await this.#store.write(this.#writes(), reserve);\n    // Set it after the write: if the write fails, the next one must reserve the versions again.\n    if (reserve !== undefined) versions.reserved = reserve;",
      "    if (reserve !== undefined) versions.reserved = reserve;\n    await this.#store.write(this.#writes(), reserve);",
      "a version is given out twice after a restart",
    ],
    ["L08 aborted and done", "if (inLine >= 0) this.#waiting.splice(inLine, 1);", "", "an aborted commit is applied"],
    [
      "L09 an abort never was sent",
      'const outcome = inLine >= 0 ? "not-applied" : "unknown";',
      'const outcome = "not-applied" as const;',
      "an aborted commit is applied and nobody clears it away",
    ],
    [
      "L10 a ttl is ignored",
      "ttl === undefined ? {} : { deadline: this.#store.clock.deadline(ttl) }",
      "{}",
      "a dead session never ends",
    ],
    ["L11 not mended", "await this.#store.mend();", "", "acknowledged writes are lost after a full disk"],
    [
      "L12 watches hear nothing",
      "for (const change of this.#changes) this.#store.report(change);",
      "",
      "a waiter sleeps on",
    ],
    [
      "L13 listeners stay at the signal",
      'const leave = (): void => signal?.removeEventListener("abort", abort);',
      "const leave = (): void => {};",
      "one callback a commit is kept for ever",
    ],
  ),
  ...of(
    "packages/level/src/store.ts",
    levelTests,
    ["L14 not synced", "{ sync: true }", "{ sync: false }", "a power cut loses acknowledged writes"],
    [
      "L15 shown at its deadline",
      "if (expiresIn > 0) return",
      "if (expiresIn > -1_000) return",
      "a dead session counts as alive",
    ],
    [
      "L16b a failed write was not applied",
      "throw levelError(error, this.path, true);",
      "throw levelError(error, this.path);",
      "a commit turns up after a restart",
    ],
    [
      "L17 the end of a range belongs to it",
      "{ gte: from, lt: to, reverse }",
      "{ gte: from, lte: to, reverse }",
      "a page comes twice",
    ],
    ["L18b an iterator stays open", "await iterator.close();", "", "close() fails, and memory is kept"],
    ["L19b what is expired is not noted", "this.expired.set(key, version);", "", "the disk fills with dead entries"],
    [
      "L20 a watch hears its neighbour",
      "change.key < range.to",
      "change.key <= range.to",
      "a watch is told of a key beyond its range",
    ],
    ["L21 another format is taken", "Number(format) === FORMAT", "true", "a folder of another version is damaged"],
  ),
];

const simpleTests = [
  "packages/simple/src/memory.test.ts",
  "packages/simple/src/sorted-keys.test.ts",
  "test/conformance/simple.test.ts",
];

const simple: readonly NamedMutant[] = of(
  "packages/simple/src/memory.ts",
  simpleTests,
  [
    "M01 shown at its deadline",
    "return expiresIn > 0 ?",
    "return expiresIn >= 0 ?",
    "an entry is seen at its deadline",
  ],
  [
    "M02 a failed check is passed over",
    "if ((this.get(check.key)?.version ?? null) !== check.version) {",
    "if (false) {",
    "two hold one lock",
  ],
  [
    "M03 an expired entry is there",
    "if ((this.get(check.key)?.version ?? null) !== check.version) {",
    "if ((this.#entries.get(check.key)?.version ?? null) !== check.version) {",
    "a session that is over is renewed",
  ],
  ["M04 the version does not go on", "String(++this.#version)", "String(this.#version)", "a stale version is accepted"],
  [
    "M05 a ttl is ignored",
    "ttl === undefined ? NEVER : this.#clock.monotonic() + ttl",
    "NEVER",
    "a dead session never ends",
  ],
  [
    "M06 the limit of a scan is one too many",
    "if (entries.length === request.limit)",
    "if (entries.length > request.limit)",
    "pages are longer than asked for",
  ],
  [
    "M07 what is expired stays",
    "if (now >= deadline) this.#delete(key);",
    "if (now >= deadline) continue;",
    "memory fills with dead entries",
  ],
  [
    "M08 what lives is dropped",
    "if (now >= deadline) this.#delete(key);",
    "if (now <= deadline) this.#delete(key);",
    "a living lock vanishes",
  ],
  [
    "M09 a deleted key is listed",
    "      this.#keys.remove(key);\n      this.#removed++;",
    "      this.#removed++;",
    "the keys grow for ever",
  ],
  [
    "M20 what was removed is never swept out",
    "if (this.#removed > FEW && this.#removed > this.#entries.size / 2) this.#sweepRemoved();",
    "",
    "the memory of a process grows with each key that was ever used",
  ],
  [
    "M21 a key that came back counts as removed",
    "if (this.#entries.has(key)) this.#removed--;",
    "",
    "the entries are copied again and again",
  ],
  [
    "M11 looked through by each commit",
    "this.#commitsToGo = this.#expiring.size / 8;",
    "",
    "a commit costs as much as there are sessions",
  ],
  ["M12 a watch hears its neighbour", "key >= range.to", "key > range.to", "a watch is told of a key beyond its range"],
  [
    "M13 the next deadline is forgotten",
    "else this.#nextDeadline = Math.min(this.#nextDeadline, deadline);\n    }\n  }\n\n  watch",
    "}\n  }\n\n  watch",
    "memory fills with dead entries",
  ],
);

/** By hand, over the commit paths of the backends. */
export const backends: Kept = {
  named: [...redis, ...etcd, ...sqlite, ...level, ...simple],
  equivalent: [],
  slow: [],
  last: [],
};
