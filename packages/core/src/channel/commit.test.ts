import { expect, test } from "vitest";
import { encodeCommit } from "./commit.js";
import { knownKey } from "./encoding/prepared.js";
import { Scope } from "./encoding/scope.js";
import type { Op, Supports } from "./types.js";

const supports: Supports = {
  shared: "process",
  durability: "none",
  commitAcrossChannels: true,
  ttl: true,
  watch: true,
  maxOps: 100,
  maxKeyBytes: 1_000,
  maxValueBytes: 1_000,
};
const one = new Scope("one");
const two = new Scope("two");

test("a key that is checked and written in two channels has the name of each", () => {
  const key = knownKey(["lock", "a"]);
  for (const given of [key, "a", { a: 1 }]) {
    const ops: Op<unknown>[] = [{ check: given, version: "5" }, { delete: given }];
    const encoded = encodeCommit(
      [
        { scope: one, ops },
        { scope: two, ops: [{ put: given, value: 1 }] },
      ],
      supports,
    );
    expect(encoded.checks.map((check) => check.key)).toEqual([one.key(given)]);
    expect(encoded.writes).toEqual([
      { key: one.key(given), value: null },
      { key: two.key(given), value: "1" },
    ]);
  }
});

test("a commit is plain data for a backend, with no more than the store needs", () => {
  const ops: Op<unknown>[] = [
    { check: knownKey("a"), version: null },
    { check: "b", version: "7" },
    { put: "b", value: [1], ttl: 5 },
  ];
  const commit = encodeCommit([{ scope: one, ops }], supports);
  const plain = {
    checks: [
      { key: one.key("a"), version: null },
      { key: one.key("b"), version: "7" },
    ],
    writes: [{ key: one.key("b"), value: "[1]", ttl: 5 }],
  };
  expect(structuredClone(commit)).toEqual(plain);
  expect(JSON.parse(JSON.stringify(commit))).toEqual(plain);
});
