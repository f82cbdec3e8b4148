import { beforeEach, describe, expect, test } from "vitest";
import { FakeClock, settled } from "../../testing/fake-clock.js";
import { HandDriven } from "../../testing/stores/hand-driven.js";
import type { Channel } from "../channel.js";
import { encodeKey } from "../encoding/key.js";
import { ChannelError } from "../errors.js";
import { openChannel } from "../open.js";
import { both, type Followed, follow } from "./follow.js";

describe("a range that is followed", () => {
  const key = (name: string): string => `c ${encodeKey(["k", name])}`;
  let clock: FakeClock;
  let store: HandDriven;
  let channel: Channel;
  let reported: string[];
  let followed: Followed<unknown>;
  let over: AbortController;

  beforeEach(async () => {
    clock = new FakeClock();
    store = new HandDriven();
    channel = await openChannel("c", { backend: store, clock });
    reported = [];
    over = new AbortController();
    followed = {
      begun: () => reported.push("begun"),
      put: (at, value) => reported.push(`${(at as string[])[1]}=${value}`),
      gone: (at) => reported.push(`-${(at as string[])[1]}`),
      synced: () => reported.push("synced"),
    };
  });

  const put = (name: string, value: unknown, version: number): void => {
    store.entries = store.entries.filter((entry) => entry.key !== key(name));
    store.entries.push({ key: key(name), value: JSON.stringify(value), version: String(version) });
  };

  test("reports after a gap what changed and what is gone, and nothing that is as before", async () => {
    put("a", 1, 1);
    put("b", 2, 2);
    const ready = follow(channel, clock, ["k"], followed, over.signal);
    await settled();
    await ready;
    expect(reported.splice(0)).toEqual(["begun", "a=1", "b=2", "synced"]);
    store.tell(key("a"), 3, 3);
    await settled();
    expect(reported.splice(0)).toEqual(["a=3"]);
    put("a", 3, 3);
    put("c", 4, 4);
    store.entries = store.entries.filter((entry) => entry.key !== key("b"));
    for (const sink of store.sinks) sink.gap();
    await settled();
    expect(reported.splice(0)).toEqual(["begun", "c=4", "-b", "synced"]);
    over.abort();
  });

  test("continues after a store was away, with what changed meanwhile", async () => {
    put("a", 1, 1);
    const failures: unknown[] = [];
    const ready = follow(channel, clock, ["k"], both(followed, followed), over.signal, (error) => failures.push(error));
    await settled();
    await ready;
    reported.length = 0;
    put("a", 2, 2);
    const away = new ChannelError("UNAVAILABLE", "the store is away", { retryable: true });
    for (const sink of store.sinks) sink.fail(away);
    await settled();
    // What is known is outdated at once, not only when the store answers again.
    expect(reported.splice(0)).toEqual(["begun", "begun"]);
    await clock.advance(2_000);
    expect(reported.splice(0)).toEqual(["a=2", "a=2", "synced", "synced"]);
    expect(failures).toEqual([]);
    over.abort();
  });

  test.each([true, false])("ends with its channel, and is not read again (store with watches: %s)", async (watch) => {
    store = new HandDriven({ watch });
    channel = await openChannel("c", { backend: store, clock });
    void follow(channel, clock, ["k"], followed, over.signal).catch(() => {});
    await settled();
    expect(reported).toEqual(["begun", "synced"]);
    await channel.close();
    // The store is polled every 5 s if it has no watches.
    await clock.advance(6_000);
    reported.length = 0;
    await clock.advance(6_000);
    expect([reported, clock.pending]).toEqual([[], 0]);
  });

  test("ends with an error that does not pass, if it has whom to report it to, and is read again otherwise", async () => {
    const failures: unknown[] = [];
    const denied = new ChannelError("DENIED", "no permission");
    const ready = follow(channel, clock, ["k"], followed, over.signal, (error) => failures.push(error));
    void follow(channel, clock, ["k"], followed, over.signal);
    await settled();
    await ready;
    reported.length = 0;
    for (const sink of store.sinks) sink.fail(denied);
    await settled();
    expect(failures).toEqual([denied]);
    await clock.advance(2_000);
    expect(reported).toEqual(["begun", "synced"]);
    over.abort();
  });
});
