import { describe, expect, it } from "vitest";
import { Codec } from "../layout.js";
import { commitRequest } from "./requests.js";

const codec = new Codec("ojm/");

describe("a commit", () => {
  it.each(["", "0", "-1", "07", "+7", "7.0", " 7", "7e0", "99999999999999999999", "x"])(
    "a commit takes the text %j for a version that no entry has",
    (version) => {
      const [compare] = commitRequest(codec, [{ key: "c a", version }], [], new Map()).compare;
      expect(compare).toMatchObject({ target: "Mod", mod_revision: "-1" });
    },
  );
});

describe("an entry", () => {
  const kv = { key: codec.key("c a"), value: Buffer.from("1"), mod_revision: "7" };

  it.each(["0", 0])("an entry has no lease where etcd says %j", (lease) => {
    expect(codec.entry({ ...kv, lease })).toEqual({ key: "c a", value: "1", version: "7" });
  });

  it("an entry takes its ttl from the text before its value, if it has a lease", () => {
    const value = codec.value('{"a":1}', 1_500);
    expect(value.toString()).toBe('ttl=1500 {"a":1}');
    expect(codec.entry({ ...kv, value, lease: "42" })).toMatchObject({ value: '{"a":1}', lease: "42", ttl: 1_500 });
    const shortest = codec.value("1", Number.MIN_VALUE);
    expect(codec.entry({ ...kv, value: shortest, lease: "42" })).toMatchObject({ value: "1", ttl: 0.001 });
    expect(codec.entry({ ...kv, lease: "42" })).not.toHaveProperty("ttl");
  });
});
