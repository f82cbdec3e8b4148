import type { Commit } from "@ojm/core/backend";
import { describe, expect, it } from "vitest";
import { encodeCommit } from "../../../packages/redis/src/commit/encode.js";
import { Names } from "../../../packages/redis/src/layout.js";
import { postgresCallsIn, redisCallsIn } from "./joined-calls.js";

const script = "0123456789".repeat(4);
const names = new Names("ojm:", false);

/** A call of these commits, as ioredis sends it. */
function sent(commits: readonly Commit[]): Buffer {
  const keys = ["ojm:version"];
  const args = ["puts"];
  for (const commit of commits) {
    const encoded = encodeCommit(commit, names);
    keys.push(...encoded.keys);
    args.push(String(encoded.args.length), ...encoded.args);
  }
  return command(["evalsha", script, String(keys.length), ...keys, ...args]);
}

function command(words: readonly string[]): Buffer {
  return Buffer.from(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`);
}

const locks = (rest: string): string => `oJobManager-locks [${rest}`;
const lock = (name: string, token: string): string =>
  JSON.stringify({ name, holder: { host: "h", pid: 1, instance: "i" }, token, since: 1, timeout: 2, until: 3 });

const start = (name: string, token: string): Commit => ({
  checks: [
    { key: locks('"session "i '), version: "7" },
    { key: locks(`"lock "${name} `), version: null },
    { key: locks(`"lock "${name} "queue `), version: "8" },
  ],
  writes: [
    { key: `oJobManager-jobs {name "${name} `, value: "{}", ttl: 5 },
    { key: locks(`"lock "${name} `), value: lock(name, token) },
    { key: locks(`"lock "${name} "queue `), value: '{"waiting":[]}' },
  ],
});
const queue: Commit = {
  checks: [{ key: locks('"lock "a "queue '), version: null }],
  writes: [{ key: locks('"lock "a "queue '), value: '{"waiting":[{"session":"i","token":"t"}]}' }],
};
const audit: Commit = {
  checks: [{ key: locks('"lock "a '), version: "9" }],
  writes: [
    { key: locks('"lock "a '), value: null },
    { key: locks('"audit "a '), value: `{"lock":${lock("a", "gone")}}` },
  ],
};

describe("the calls of several commits to Redis that the proxy sees", () => {
  it("the tokens of a call are those of the locks that it takes, not of a queue or an audit record", () => {
    const call = sent([start("a", "x"), queue, audit, start("b", "y")]);
    expect(redisCallsIn(call)).toEqual([{ script, commits: 4, tokens: ["x", "y"] }]);
  });

  it("calls behind one another in one chunk are seen, and one that is cut off is not", () => {
    const call = sent([start("a", "x"), queue]);
    const chunk = Buffer.concat([call, sent([audit]), call]);
    expect(redisCallsIn(chunk).map(({ tokens }) => tokens)).toEqual([["x"], [], ["x"]]);
    expect(redisCallsIn(chunk.subarray(0, -4))).toHaveLength(2);
  });

  it("a call of one commit and another command are passed over", () => {
    const { keys, args } = encodeCommit(start("a", "x"), names);
    const words = ["evalsha", script, String(keys.length + 1), "ojm:version", ...keys, ...args];
    expect(redisCallsIn(command(words))).toEqual([]);
    expect(redisCallsIn(command(["ping"]))).toEqual([]);
  });
});

/** A call of these commits, as pg sends it. */
function bound(commits: readonly Commit[], statement = "ojm call 0a1b"): Buffer {
  const writes = commits.flatMap(({ writes }) => writes);
  const array = (items: readonly (string | null)[]): string =>
    `{${items.map((item) => (item === null ? "NULL" : `"${item.replace(/[\\"]/g, "\\$&")}"`)).join()}}`;
  const keys = array(writes.map(({ key }) => key));
  const contents = array(writes.map(({ value }) => value));
  const values = ["1", "100", "800", String(commits.length), "{}", keys, "{}", "{}", contents, "{}"].map((text) =>
    Buffer.from(text),
  );
  const short = (number: number): Buffer => Buffer.from([number >> 8, number & 255]);
  const long = (number: number): Buffer => Buffer.concat([short(number >> 16), short(number & 65_535)]);
  const formats = [short(values.length), ...values.map(() => short(0))];
  const parameters = [short(values.length), ...values.flatMap((value) => [long(value.length), value])];
  const rest = Buffer.concat([Buffer.from(`\0${statement}\0`), ...formats, ...parameters, short(1), short(0)]);
  return Buffer.concat([Buffer.from("B"), long(rest.length + 4), rest]);
}

describe("the calls of several commits to PostgreSQL that the proxy sees", () => {
  it("the tokens of a call to PostgreSQL are those of the locks that it takes", () => {
    const call = bound([start("a", "x"), queue, audit, start("b\\c", "y")]);
    expect(postgresCallsIn(call)).toEqual([{ commits: 4, tokens: ["x", "y"] }]);
  });

  it("calls to PostgreSQL behind one another in one chunk are seen, and one that is cut off is not", () => {
    const call = bound([start("a", "x"), queue]);
    const chunk = Buffer.concat([call, bound([queue, audit]), Buffer.from("E"), call]);
    expect(postgresCallsIn(chunk).map(({ tokens }) => tokens)).toEqual([["x"], [], ["x"]]);
    expect(postgresCallsIn(chunk.subarray(0, -4))).toHaveLength(2);
  });

  it("a call to PostgreSQL of one commit and another statement are passed over", () => {
    expect(postgresCallsIn(bound([start("a", "x")]))).toEqual([]);
    expect(postgresCallsIn(bound([start("a", "x"), queue], "ojm select 0a1b"))).toEqual([]);
  });
});
