import type { NamedMutant } from "../types.js";
import { of } from "./rows.js";

const simpleTests = [
  "packages/simple/src/memory.test.ts",
  "packages/simple/src/sorted-keys.test.ts",
  "test/conformance/simple.test.ts",
];

/** By hand, over the commit paths of memory. */
export const simple: readonly NamedMutant[] = of(
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
    "if (now >= held.deadline) this.#remove(key, held);",
    "if (now >= held.deadline) continue;",
    "memory fills with dead entries",
  ],
  [
    "M08 what lives is dropped",
    "if (now >= held.deadline) this.#remove(key, held);",
    "if (now <= held.deadline) this.#remove(key, held);",
    "a living lock vanishes",
  ],
  ["M09 a deleted key is listed", "    this.#keys.remove(key);\n", "", "the keys grow for ever"],
  [
    "M20 what was removed is never swept out",
    "if (this.#removed > FEW && this.#removed > this.#entries.size / 2) this.#sweepRemoved();",
    "",
    "the memory of a process grows with each key that was ever used",
  ],
  [
    "M21 a key that came back counts as removed",
    "if (before === REMOVED) this.#removed--;",
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
    "else this.#nextDeadline = Math.min(this.#nextDeadline, held.deadline);\n    }\n  }\n\n  watch",
    "}\n  }\n\n  watch",
    "memory fills with dead entries",
  ],
  [
    "M22 what is removed keeps its place among what expires",
    "    this.#forgetDeadline(key, before);\n    this.#removed++;",
    "    this.#removed++;",
    "the memory of a process grows with each session that it ever had",
  ],
  [
    "M23 a text is kept in its pieces",
    '(text.charCodeAt(0) >= 0 ? text : "")',
    "text",
    "records take half as much memory again",
  ],
);
