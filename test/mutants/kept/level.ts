import type { NamedMutant } from "../types.js";
import { of } from "./rows.js";

const levelTests = [
  "packages/level/src/ttl.test.ts",
  "packages/level/src/level.test.ts",
  "packages/level/src/processes.test.ts",
  "test/conformance/level.test.ts",
];

/** By hand, over the commit paths of LevelDB. */
export const level: readonly NamedMutant[] = [
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
