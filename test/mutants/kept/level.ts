import type { NamedMutant } from "../types.js";
import { of } from "./rows.js";

const levelTests = [
  "packages/level/src/remembered.test.ts",
  "packages/level/src/ttl.test.ts",
  "packages/level/src/level.test.ts",
  "packages/level/src/processes.test.ts",
  "test/conformance/level.test.ts",
];

/** By hand, over the commit paths of LevelDB. */
export const level: readonly NamedMutant[] = [
  ...of(
    "packages/level/src/batch.ts",
    levelTests,
    ["L01 a failed check is passed over", "if (this.#holds(key, version)) continue;", "continue;", "two hold one lock"],
    [
      "L02 judged by the disk alone",
      "const stamp = this.#overlay.has(key) ? this.#overlay.get(key) : this.#store.stamp(key);\n    if",
      "const stamp = this.#store.stamp(key);\n    if",
      "two commits of one turn both win",
    ],
    [
      "L03 answered before it is on the disk",
      "    try {\n      this.#dropExpired();",
      "    for (const [i, outcome] of outcomes.entries()) judged[i]?.resolve(outcome);\n    try {\n      this.#dropExpired();",
      "a commit that failed is told as done",
    ],
    [
      "L04 a fresh write is deleted as expired",
      "if (stamp?.version === version) this.#overlay.set(key, undefined);",
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
      "    await this.#store.write(this.#overlay, reserve);\n    // Set it after the write: if the write fails, the next one must reserve the versions again.\n    if (reserve !== undefined) versions.reserved = reserve;",
      "    if (reserve !== undefined) versions.reserved = reserve;\n    await this.#store.write(this.#overlay, reserve);",
      "a version is given out twice after a restart",
    ],
    [
      "L10 a ttl is ignored",
      "{ value, version, deadline: this.#store.clock.deadline(ttl) }",
      "{ value, version }",
      "a dead session never ends",
    ],
    ["L12 watches hear nothing", "this.#store.report({ key, value, version, ...expires });", "", "a waiter sleeps on"],
    [
      "L22 an expired entry passes a check",
      "if (stamp === undefined || this.#store.left(key, stamp) <= 0) return",
      "if (stamp === undefined) return",
      "a session that is over is renewed",
    ],
  ),
  ...of(
    "packages/level/src/commit-queue.ts",
    levelTests,
    ["L08 aborted and done", "if (inLine >= 0) this.#waiting.splice(inLine, 1);", "", "an aborted commit is applied"],
    [
      "L09 an abort never was sent",
      'const outcome = inLine >= 0 ? "not-applied" : "unknown";',
      'const outcome = "not-applied" as const;',
      "an aborted commit is applied and nobody clears it away",
    ],
    [
      "L11 not mended",
      "if (this.#store.broken) await this.#store.mend();",
      "",
      "acknowledged writes are lost after a full disk",
    ],
    [
      "L13 listeners stay at the signal",
      'this.#signal?.removeEventListener("abort", this.#abort);',
      "{}",
      "one callback a commit is kept for ever",
    ],
    [
      "L23 the commits of a turn are written one by one",
      "await new Promise((resolve) => setImmediate(resolve));",
      "await new Promise<void>((resolve) => process.nextTick(resolve));",
      "each commit pays for a sync of its own",
    ],
  ),
  ...of(
    "packages/level/src/remembered.ts",
    levelTests,
    [
      "L25 an old version is remembered",
      "const stamp = this.#young.get(key);\n    if (stamp !== undefined) return stamp;\n    const old = this.#old.get(key);",
      "const old = this.#old.get(key) ?? this.#young.get(key);",
      "a stale version passes a check: two hold one lock",
    ],
    [
      "L26 a delete is not remembered",
      "if (record === undefined) this.#keep(key, null);",
      "if (record === undefined) return;",
      "a stale version passes a check after a delete",
    ],
    ["L27 what is remembered only grows", "if (this.#used <= ROOM) return;", "return;", "memory grows with each key"],
    [
      "L28 an entry is remembered without its deadline",
      "else this.#keep(key, { version: record.version, deadline: record.deadline });",
      "else this.#keep(key, { version: record.version });",
      "a session that is over is renewed",
    ],
  ),
  ...of(
    "packages/level/src/store.ts",
    levelTests,
    ["L14 not synced", "{ sync: true }", "{ sync: false }", "a power cut loses acknowledged writes"],
    [
      "L15 shown at its deadline",
      "return expiresIn > 0 ?",
      "return expiresIn > -1_000 ?",
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
    [
      "L19b what is expired is not noted",
      "if (expiresIn <= 0) this.expired.set(key, version);",
      "",
      "the disk fills with dead entries",
    ],
    [
      "L20 a watch hears its neighbour",
      "change.key < range.to",
      "change.key <= range.to",
      "a watch is told of a key beyond its range",
    ],
    ["L21 another format is taken", "Number(format) === FORMAT", "true", "a folder of another version is damaged"],
    [
      "L29 what is remembered outlives a failed write",
      "      this.#remembered.clear();\n",
      "",
      "a stale version passes a check: two hold one lock",
    ],
  ),
];
