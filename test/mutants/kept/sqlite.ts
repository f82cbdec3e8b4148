import type { NamedMutant } from "../types.js";
import { of } from "./rows.js";

const sqliteTests = [
  "packages/sqlite/src/store/transaction.test.ts",
  "packages/sqlite/src/store/commit-queue.test.ts",
  "packages/sqlite/src/store/deadlines.test.ts",
  "packages/sqlite/src/store/reader.test.ts",
  "packages/sqlite/src/backend.test.ts",
  "packages/sqlite/src/watch/tail.test.ts",
  "test/conformance/sqlite.test.ts",
];

/** By hand, over the commit paths of SQLite. */
export const sqlite: readonly NamedMutant[] = [
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
      "Q31 checked at its deadline",
      "version === (left > 0 ? String(-found) : null)",
      "version === (left >= 0 ? String(-found) : null)",
      "a session that is over is renewed",
    ],
    [
      "Q32 a check goes by the wall clock alone",
      "SELECT CASE boot WHEN ? THEN deadline - ? ELSE",
      "SELECT CASE boot || '?' WHEN ? THEN deadline - ? ELSE",
      "a contender whose clock is ahead takes a held lock",
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
  ...of(
    "packages/sqlite/src/watch/tail.ts",
    ["packages/sqlite/src/watch/tail.test.ts"],
    [
      "Q33 what exceeds a page waits",
      "if (page.length === PAGE) setImmediate(() => this.wake()).unref();",
      "",
      "after 200 changes, a watch sees the rest with the next commit or look",
    ],
  ),
  ...of(
    "packages/sqlite/src/store/housekeeping.ts",
    ["packages/sqlite/src/backend.test.ts"],
    [
      "Q34 -wal and -shm are not compared",
      "return [file, `$",
      "return [file] || [file, `$",
      "two hold one lock after -shm was deleted",
    ],
  ),
  ...of(
    "packages/sqlite/src/database.ts",
    ["packages/sqlite/src/processes.test.ts"],
    [
      "Q35 opened beside a process with deleted files",
      "if (hasItsFiles(file)) return;",
      "return;",
      "two hold one lock after -wal and -shm were deleted",
    ],
  ),
];
