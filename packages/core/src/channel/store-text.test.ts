import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openJobManager } from "../jobs/manager.js";
import { rejection } from "../testing/settle.js";
import { openChannel } from "./open.js";
import { parseStore, placedStore, shownStore, storeAddress, storeWords } from "./store-text.js";

describe("a store as a text", () => {
  test.each([
    ["redis://u:p@h:1/2", { type: "redis", args: { url: "redis://u:p@h:1/2" } }],
    ["rediss://h", { type: "redis", args: { url: "rediss://h" } }],
    ["REDIS://h", { type: "redis", args: { url: "REDIS://h" } }],
    ["sqlite:data/ojm.db", { type: "sqlite", args: { file: "/at/data/ojm.db" } }],
    ["sqlite:./data/ojm.db", { type: "sqlite", args: { file: "/at/data/ojm.db" } }],
    ["sqlite:/data/ojm.db", { type: "sqlite", args: { file: "/data/ojm.db" } }],
    ["sqlite:///data/ojm.db", { type: "sqlite", args: { file: "/data/ojm.db" } }],
    ["level:db", { type: "level", args: { path: "/at/db" } }],
    ["etcd://a,b:1", { type: "etcd", args: { hosts: ["a:2379", "b:1"] } }],
    ["etcds://a/team/", { type: "etcd", args: { hosts: ["https://a:2379"], keyPrefix: "team/" } }],
    ["etcd://u:p%40@a", { type: "etcd", args: { hosts: ["a:2379"], auth: { username: "u", password: "p@" } } }],
    ["postgres://u:p@h/d", { type: "postgres", args: { url: "postgres://u:p@h/d" } }],
    ["postgresql://h/d?schema=s", { type: "postgres", args: { url: "postgresql://h/d?schema=s" } }],
    ["memory:", { type: "simple" }],
  ])("%s is %j", (text, store) => {
    expect(parseStore(text, "/at").store).toEqual(store);
  });

  test("has the path that it is in, and whether that was relative", () => {
    expect(parseStore("sqlite:a.db", "/at")).toMatchObject({ path: "/at/a.db", isRelative: true });
    expect(parseStore("level:/l", "/at")).toMatchObject({ path: "/l", isRelative: false });
    expect(parseStore("redis://h", "/at")).not.toHaveProperty("path");
    const store = { type: "db", args: { file: "a.db", durability: "host" } };
    const placed = { type: "db", args: { file: "/at/a.db", durability: "host" } };
    expect(placedStore(store, "/at")).toEqual({ store: placed, path: "/at/a.db", isRelative: true });
  });

  test.each([
    ["ojm.db", /^the store "ojm.db" is not understood: write redis:/],
    ["sqlite", /is not understood: write .*sqlite:FILE.*memory:$/],
    ["sqlite:", /is not understood/],
    ["", /the store "" is not understood/],
    ["memory:x", /is not understood: the store in memory is written as memory:$/],
    ["mysql://h", /^there is no kind of store "mysql": write redis:/],
    ["etcd://a?foo=b", /the etcd store has a query or a #: it takes none/],
    ["etcd://u:p@a/team?foo=b", /the etcd store has a query or a #: it takes none/],
    ["etcds://a/team#b", /the etcd store has a query or a #: it takes none/],
    ["etcd://u:se/cret@h", /^the etcd store has a \/ or an @ in its user or password: write them as %2F and %40$/],
    ["etcd://u:p@se@h", /^the etcd store has a \/ or an @ in its user or password/],
    ["etcd://u:%zz@h", /has a % that is not an escape: write it as %25$/],
    ["etcd://u:secret", /^an etcd store is written as etcd:\/\/HOST:PORT,HOST:PORT: one of its ports is not a number$/],
    ["etcd://", /written as etcd:\/\/HOST/],
    ["foo://u:secret@h", /^(?!.*secret)there is no kind of store "foo"/],
  ])("%s is refused, and says what to do", async (text, message) => {
    for (const opening of [openChannel("a", text), openJobManager(text)])
      expect(await rejection(opening)).toMatchObject({
        name: "ChannelError",
        code: "INVALID_CONFIG",
        message: expect.stringMatching(message),
      });
  });

  test("opens a manager and a channel, beside other options", async () => {
    await using jobs = await openJobManager("memory:", { ttl: "20s" });
    expect((await jobs.run("a text of a store", () => 5)).result).toBe(5);
    await using channel = await openChannel("oJobManager-jobs", "memory:");
    expect(await channel.size({ prefix: { name: "a text of a store" } })).toBe(1);
    const twice = await rejection(openJobManager("memory:", { chLocks: { type: "simple" } } as object));
    expect(twice).toMatchObject({ code: "INVALID_CONFIG", message: expect.stringMatching(/store twice.*"chLocks"/) });
  });
});

describe("a store that is shown", () => {
  test.each([
    ["redis://u:secret@h:1/2", "redis://u:***@h:1/2"],
    ["redis://secret@h", "redis://***@h"],
    ["etcd://u:se/cret@h", "etcd://u:***@h"],
    ["rediss//u:secret@h", "rediss//u:***@h"],
    ["redis://u:s@secret@h", "redis://u:***@h"],
    ["redis://h:6379/0", "redis://h:6379/0"],
    ["sqlite:data/ojm.db", "sqlite:data/ojm.db"],
  ])("%s has no password", (text, shown) => {
    expect(shownStore(text)).toBe(shown);
  });

  test.each([
    "redis://u:secret@h:1/2",
    "rediss://h",
    "sqlite:/data/ojm.db",
    "etcd://a:2379,b:1",
    "etcds://a:2379/team/",
    "etcd://u:secret@a:2379",
    "postgres://u:secret@h/d?schema=s",
  ])("%s has an address that names the same store, without its password", (text) => {
    const { store } = parseStore(text);
    const address = storeAddress(store);
    expect(address).toBe(text.replace(/(u:)?secret/, text.startsWith("etcd") ? "***" : "u:***"));
    expect(storeWords(store)).not.toMatch(/secret|u:/);
  });

  test.each([
    [{ type: "sqlite", args: { file: "/var/ojm.db" } }, "sqlite ojm.db"],
    [{ type: "level", args: { path: "/var/db" } }, "level db"],
    [{ type: "redis", args: { url: "redis://u:secret@h:6380/2" } }, "redis h:6380"],
    [{ type: "etcd", args: { hosts: "u:secret@a:2379" } }, "etcd a:2379"],
    [{ type: "postgres", args: { url: "postgres://u:secret@h:5433/d" } }, "postgres h:5433"],
    [{ type: "postgres", args: { url: "postgres:///d?host=/run/postgresql" } }, "postgres /run/postgresql"],
    [{ type: "redis", args: { url: "redis:///2" } }, "redis localhost"],
    [{}, "memory"],
  ])("%j is %s in words", (store, words) => {
    expect(storeWords(store)).toBe(words);
  });

  test.each([
    ["db.example.com", "postgres db.example.com"],
    ["", "postgres localhost"],
  ])("PostgreSQL without a host in its url, with PGHOST=%s, is %s in words", (host, words) => {
    vi.stubEnv("PGHOST", host);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(storeWords({ type: "postgres", args: { url: "postgres://" } })).toBe(words);
  });

  test("a store that only one process can open, or that has more options than a text, has no address", () => {
    expect(storeAddress(parseStore("level:db").store)).toBeUndefined();
    expect(storeAddress(parseStore("memory:").store)).toBeUndefined();
    expect(storeAddress({ type: "redis", args: { url: "redis://h", tls: {} } })).toBeUndefined();
    expect(storeAddress({ type: "@me/mine", args: { file: "a" } })).toBeUndefined();
  });
});
