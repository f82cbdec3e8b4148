import type { Backend } from "@ojm/core/backend";
import { type RedisServer, until, whyMissing } from "@ojm/testing/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LeapingClock } from "./testing/clock.js";
import { type Setup, setups } from "./testing/setups.js";
import { applied, faultOf, get, keysOf, open, put, remove, watch } from "./testing/stores.js";

for (const { title, binary, start } of setups) {
  const missing = whyMissing(binary);
  if (missing !== undefined) console.warn(`skipped, "${title}": ${missing}`);

  describe.skipIf(missing !== undefined)(title, { tags: title === "Redis" ? [] : ["full"] }, () => {
    let setup: Setup;
    let store: Backend;
    let channels = 0;
    /** A channel of its own for each test. */
    const fresh = (): string => `channel-${++channels}`;

    beforeAll(async () => {
      setup = await start();
    });
    afterAll(() => setup.stop());
    const opened = async (): Promise<Backend> => {
      store = await open(setup.args);
      return store;
    };

    describe("commit", () => {
      it("a commit creates an entry only where none exists, and otherwise returns the existing one", async () => {
        const store = await opened();
        const key = `${fresh()} "a `;
        const create = { checks: [{ key, version: null }], writes: [{ key, value: "1" }] };
        const version = await applied(store, create);
        expect(await store.commit(create)).toEqual({ ok: false, current: [{ key, value: "1", version }] });
        expect(await get(store, key)).toEqual({ key, value: "1", version });
      });

      it("each write or delete of an entry gives a higher version, even if the value stays the same", async () => {
        const store = await opened();
        const key = `${fresh()} "a `;
        const versions = [
          await put(store, key, "1"),
          await put(store, key, "1"),
          await remove(store, key),
          await put(store, key, "1"),
        ];
        const numbers = versions.map(Number);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      });

      it("a commit fails if a version is stale, is that of a deleted or recreated entry, or is not a version", async () => {
        const store = await opened();
        const key = `${fresh()} "a `;
        const stale = await put(store, key, "1");
        const attempt = { checks: [{ key, version: stale }], writes: [{ key, value: "stale" }] };
        await put(store, key, "1");
        expect((await store.commit(attempt)).ok).toBe(false);
        await remove(store, key);
        expect(await store.commit(attempt)).toEqual({ ok: false, current: [undefined] });
        const version = await put(store, key, "2");
        expect((await store.commit(attempt)).ok).toBe(false);
        const absent = { checks: [{ key: `${key}x `, version: "" }], writes: [] };
        expect(await store.commit(absent)).toEqual({ ok: false, current: [undefined] });
        const garbage = { ...attempt, checks: [{ key, version: "0" }] };
        expect(await store.commit(garbage)).toEqual({ ok: false, current: [{ key, value: "2", version }] });
      });

      it("a commit applies all of its writes or none, and a failed one returns the entry of each check", async () => {
        const store = await opened();
        const channel = fresh();
        const [a, b, c] = [`${channel} "a `, `${channel} "b `, `${channel} "c `];
        const version = await put(store, a, "1");
        const checks = [
          { key: a, version },
          { key: b, version: "17" },
        ];
        const writes = [
          { key: a, value: "2" },
          { key: c, value: "2" },
        ];
        const current = [{ key: a, value: "1", version }, undefined];
        expect(await store.commit({ checks, writes })).toEqual({ ok: false, current });
        expect(await store.read([a, b, c])).toEqual([...current, undefined]);
        const next = await applied(store, {
          checks: [{ key: a, version }],
          writes: [{ key: a, value: null }, ...writes.slice(1)],
        });
        expect(await store.read([a, b, c])).toEqual([undefined, undefined, { key: c, value: "2", version: next }]);
      });

      it("a commit without writes only compares versions, and changes nothing", async () => {
        const store = await opened();
        const key = `${fresh()} "a `;
        const version = await put(store, key, "1");
        expect((await store.commit({ checks: [{ key, version }], writes: [] })).ok).toBe(true);
        expect((await store.commit({ checks: [{ key, version: "1" }], writes: [] })).ok).toBe(false);
        expect(await get(store, key)).toEqual({ key, value: "1", version });
      });

      it("a failed commit returns all entries that it checked, and a delete leaves no key in the index", async () => {
        const store = await opened();
        const channel = fresh();
        const keys = [`${channel} "a `, `${channel} "b `, `${channel} "c `];
        const version = await applied(store, { checks: [], writes: keys.map((key) => ({ key, value: "1" })) });
        const checks = keys.map((key) => ({ key, version: "17" }));
        const current = keys.map((key) => ({ key, value: "1", version }));
        expect(await store.commit({ checks, writes: [] })).toEqual({ ok: false, current });
        for (const key of keys) await remove(store, key);
        const left = await Promise.all(setup.servers.map((server) => countMembers(server, `ojm:{${channel}}`)));
        expect(Math.max(...left)).toBe(0);
      });

      it("a delete of an absent entry succeeds", async () => {
        const store = await opened();
        expect(Number(await remove(store, `${fresh()} "a `))).toBeGreaterThan(0);
      });

      it("a commit takes as many operations as supports.maxOps declares", async () => {
        const store = await opened();
        const channel = fresh();
        const keys = Array.from({ length: store.supports.maxOps / 2 }, (_, i) => `${channel} "${i} `);
        const checks = keys.map((key) => ({ key, version: null }));
        const version = await applied(store, { checks, writes: keys.map((key) => ({ key, value: key })) });
        const entries = await store.read(keys);
        expect(entries).toEqual(keys.map((key) => ({ key, value: key, version })));
      });

      it("keys and values of the declared maximum length are stored, read and reported to a watch", async () => {
        // Megabytes take a while on a busy machine.
        store = await open({ ...setup.args, deadline: 30_000 });
        const channel = fresh();
        const key = `${channel} `.padEnd(store.supports.maxKeyBytes, "k");
        const notes = await watch(store, channel);
        const value = "v".repeat(store.supports.maxValueBytes);
        const version = await put(store, key, value);
        const entry = await get(store, key);
        expect(entry?.version).toBe(version);
        expect(entry?.value === value).toBe(true);
        await until(() => notes.changes.length === 1, "the watch reports the change");
        expect(notes.changes[0]?.value === value).toBe(true);
      });

      it("exactly one of eight concurrent creates succeeds, and no concurrent increment is lost", async () => {
        const key = `${fresh()} "counter `;
        const stores = await Promise.all(Array.from({ length: 8 }, () => open(setup.args)));
        const created = await Promise.all(
          stores.map((store) => store.commit({ checks: [{ key, version: null }], writes: [{ key, value: "0" }] })),
        );
        expect(created.filter(({ ok }) => ok)).toHaveLength(1);
        const increments = 50;
        await Promise.all(
          stores.map(async (store) => {
            for (let done = 0; done < increments; ) {
              const entry = await get(store, key);
              const value = String(Number(entry?.value) + 1);
              const version = entry?.version ?? null;
              const { ok } = await store.commit({ checks: [{ key, version }], writes: [{ key, value }] });
              if (ok) done++;
            }
          }),
        );
        expect((await get(await opened(), key))?.value).toBe(String(stores.length * increments));
      });

      it("commits, reads and scans continue after SCRIPT FLUSH", async () => {
        const store = await opened();
        const key = `${fresh()} "a `;
        await put(store, key, "1");
        await Promise.all(setup.servers.map((server) => server.command("SCRIPT", "FLUSH")));
        await put(store, key, "2");
        await Promise.all(setup.servers.map((server) => server.command("SCRIPT", "FLUSH")));
        expect((await get(store, key))?.value).toBe("2");
        expect(await keysOf(store, key.slice(0, key.indexOf(" ")))).toEqual([key]);
      });

      it("versions continue from the last one if that is ahead of the clock, as when the clock was set back", async () => {
        const store = await opened();
        const channel = fresh();
        const key = `${channel} "a `;
        const ahead = (BigInt(Date.now()) + 3_600_000n) * 1_000n;
        const names = ["ojm:version", `ojm:{${channel}}.version`];
        const set = (text: string): Promise<unknown> =>
          Promise.all(names.flatMap((name) => setup.servers.map((server) => scribble(server, name, text))));
        await set(String(ahead));
        const versions = [await put(store, key, "1"), await remove(store, key), await put(store, key, "2")];
        // Not for the tests that follow.
        await set("0");
        expect(versions).toEqual([1n, 2n, 3n].map((i) => String(ahead + i)));
      });

      it("versions still increase after the server lost all of its data", async () => {
        const store = await opened();
        const key = `${fresh()} "a `;
        const version = await put(store, key, "1");
        await Promise.all(setup.servers.map((server) => server.command("FLUSHALL")));
        expect(await get(store, key)).toBeUndefined();
        expect(Number(await put(store, key, "1"))).toBeGreaterThan(Number(version));
      });
    });

    describe("scan", () => {
      it("a scan orders keys by their bytes and pages through them in both directions", async () => {
        const store = await opened();
        const channel = fresh();
        const names = [
          "",
          "a",
          "a b",
          "ab",
          "b",
          "*",
          "[a]",
          "\\",
          "?",
          "é",
          "\u{ff5e}",
          "\u{10000}",
          "__proto__",
          "{x}",
          "}",
          "%",
        ];
        const keys = names.map((name) => `${channel} "${name}`);
        for (const key of keys) await put(store, key, "1");
        const ordered = keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        for (const limit of [1, 2, 3, keys.length, keys.length + 1]) {
          expect(await keysOf(store, channel, limit)).toEqual(ordered);
          expect(await keysOf(store, channel, limit, true)).toEqual(ordered.toReversed());
        }
      });

      it("a scan includes its bound `from` and excludes its bound `to`", async () => {
        const store = await opened();
        const channel = fresh();
        const [a, b, c] = [`${channel} "a `, `${channel} "b `, `${channel} "c `];
        for (const key of [a, b, c]) await put(store, key, "1");
        const keys = async (from: string, to: string): Promise<string[]> => {
          const page = await store.scan({ from, to, reverse: false, limit: 10, values: false });
          return page.entries.map(({ key }) => key);
        };
        expect(await keys(a, c)).toEqual([a, b]);
        expect(await keys(`${a}\x01`, `${channel}!`)).toEqual([b, c]);
        expect(await keys(c, a)).toEqual([]);
        expect(await keys(b, b)).toEqual([]);
      });

      it("a scan returns the value, the version and the remaining time of an entry", async () => {
        const store = await opened();
        const channel = fresh();
        const version = await put(store, `${channel} "a `, "1", 60_000);
        const page = await store.scan({
          from: `${channel} `,
          to: `${channel}!`,
          reverse: true,
          limit: 5,
          values: true,
        });
        expect(page.more).toBe(false);
        expect(page.entries).toEqual([{ key: `${channel} "a `, value: "1", version, expiresIn: expect.any(Number) }]);
      });

      it("scans and reads of a channel see no entries of other channels with similar names", async () => {
        const store = await opened();
        const name = fresh();
        const neighbours = [
          name,
          `${name}1`,
          `${name}*`,
          `${name}:`,
          `${name}:version`,
          `${name}{x}`,
          `{${name}}`,
          `}${name}`,
          `${name}%`,
        ];
        for (const channel of neighbours) await put(store, `${channel} "a `, channel);
        for (const channel of neighbours) {
          expect(await keysOf(store, channel)).toEqual([`${channel} "a `]);
          expect((await get(store, `${channel} "a `))?.value).toBe(channel);
        }
      });

      it("a scan passes over thousands of expired entries, and removes their keys from the index", async () => {
        const store = await opened();
        const channel = fresh();
        const last = `${channel} "z `;
        await put(store, last, "1");
        const row = Array.from({ length: 12_000 }, (_, i) => ({ key: `${channel} "${i} `, value: "1", ttl: 1 }));
        for (let at = 0; at < row.length; at += 1_000)
          await applied(store, { checks: [], writes: row.slice(at, at + 1_000) });
        await until(async () => (await get(store, row.at(-1)?.key ?? "")) === undefined, "the row expired");
        expect(await keysOf(store, channel, 1)).toEqual([last]);
        const range = { from: `${channel} `, to: `${channel}!`, limit: 10, values: true, reverse: true };
        expect((await store.scan(range)).entries).toHaveLength(1);
        // The second scan went all the way to the lowest key.
        const left = await Promise.all(setup.servers.map((server) => countMembers(server, `ojm:{${channel}}`)));
        expect(Math.max(...left)).toBe(1);
      });

      it("a scan gets past more leftover keys of gone entries than one script looks at, in both directions", async () => {
        const store = await opened();
        const channel = fresh();
        const [first, last] = [`${channel} "! `, `${channel} "z `];
        await put(store, first, "1");
        await put(store, last, "1");
        const gone = Array.from({ length: 12_000 }, (_, i) => ["0", `"${i} `]).flat();
        const range = { from: `${channel} "0`, to: `${channel}!`, limit: 1, values: false };
        for (const [reverse, to, found] of [
          [false, range.to, last],
          [true, last, first],
        ] as const) {
          await Promise.any(setup.servers.map((server) => server.command("ZADD", `ojm:{${channel}}`, ...gone)));
          const page = await store.scan({ ...range, from: reverse ? `${channel} ` : range.from, to, reverse });
          expect(page.entries.map(({ key }) => key)).toEqual([found]);
        }
      });

      it("a read of many keys is split, so that one script does not hold up the server for long", async () => {
        const store = await opened();
        const channel = fresh();
        const scripts = async (): Promise<number> => {
          let sum = 0;
          for (const server of setup.servers) {
            const stats = String(await server.command("INFO", "commandstats"));
            sum += Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
          }
          return sum;
        };
        await get(store, `${channel} "0 `);
        const before = await scripts();
        const keys = Array.from({ length: 2_001 }, (_, i) => `${channel} "${i} `);
        expect(await store.read(keys)).toEqual(keys.map(() => undefined));
        expect((await scripts()) - before).toBe(3);
      });

      it("a scan refuses a range that reaches into another channel", async () => {
        const store = await opened();
        const range = { from: "a ", to: "b ", reverse: false, limit: 10, values: true };
        expect(await faultOf(store.scan(range))).toMatchObject({ code: "INVALID_ARGUMENT" });
      });
    });

    describe("time to live", () => {
      it("an entry with a ttl is never lost before its deadline, and never shown from then on", async () => {
        const store = await opened();
        const key = `${fresh()} "a `;
        const ttl = 200;
        // The server uses the wall clock, which may be adjusted while the test reads the monotonic one.
        const drift = 1;
        const sent = performance.now();
        await put(store, key, "1", ttl);
        const written = performance.now();
        for (;;) {
          const before = performance.now();
          const entry = await get(store, key);
          const after = performance.now();
          if (entry === undefined) {
            expect(after).toBeGreaterThanOrEqual(sent + ttl - drift);
            break;
          }
          expect(before).toBeLessThan(written + ttl + drift);
          expect(entry.expiresIn).toBeGreaterThan(0);
          expect(entry.expiresIn).toBeLessThanOrEqual(ttl);
        }
      });

      it("a key never expires in Redis before the deadline that its entry records in microseconds", async () => {
        const store = await opened();
        const channel = fresh();
        for (let i = 0; i < 20; i++) {
          await put(store, `${channel} "${i} `, "1", 60_000 + i / 10);
          const name = `ojm:{${channel}}:"${i} `;
          const [entry, expires] = await Promise.all([ask(setup, "GET", name), ask(setup, "PEXPIRETIME", name)]);
          const [, deadline] = String(entry).split(" ");
          expect(Number(expires) * 1_000).toBeGreaterThanOrEqual(Number(deadline));
        }
      });

      it("a commit treats an expired entry as absent", async () => {
        const store = await opened();
        const key = `${fresh()} "a `;
        const version = await put(store, key, "1", 20);
        await until(async () => (await get(store, key)) === undefined, "it expired");
        const outdated = { checks: [{ key, version }], writes: [{ key, value: "2" }] };
        expect(await store.commit(outdated)).toEqual({ ok: false, current: [undefined] });
        const create = { checks: [{ key, version: null }], writes: [{ key, value: "3" }] };
        expect((await store.commit(create)).ok).toBe(true);
      });

      it("a commit treats an entry past its deadline as absent while Redis still has it", async () => {
        const store = await opened();
        const channel = fresh();
        const key = `${channel} "a `;
        const version = await put(store, key, "1", 20);
        // Redis removes a key up to a millisecond late. PERSIST makes that moment last.
        await ask(setup, "PERSIST", `ojm:{${channel}}:"a `);
        await until(async () => (await get(store, key)) === undefined, "its deadline has passed");
        const outdated = { checks: [{ key, version }], writes: [{ key, value: "2" }] };
        expect(await store.commit(outdated)).toEqual({ ok: false, current: [undefined] });
        const create = { checks: [{ key, version: null }], writes: [{ key, value: "3" }] };
        expect((await store.commit(create)).ok).toBe(true);
      });

      it("a write without a ttl removes the deadline of the entry that it overwrites", async () => {
        const store = await opened();
        const channel = fresh();
        const key = `${channel} "a `;
        await put(store, key, "1", 40);
        const version = await put(store, key, "2");
        const other = `${channel} "b `;
        await put(store, other, "1", 60);
        await until(async () => (await get(store, other)) === undefined, "one that was to expire later did");
        expect(await get(store, key)).toEqual({ key, value: "2", version });
        expect(await keysOf(store, channel)).toEqual([key]);
      });

      it("a ttl may have any length, from half a millisecond to practically for ever", async () => {
        const store = await opened();
        const channel = fresh();
        for (const ttl of [0.5, 1, 1.5, 86_400_000, 2 ** 53, 1e300]) {
          const key = `${channel} "${ttl} `;
          await put(store, key, "1", ttl);
          if (ttl > 1_000) expect((await get(store, key))?.expiresIn).toBeGreaterThan(1_000_000);
        }
      });

      it("keys of expired entries do not pile up in the index, even if no client scans", async () => {
        const store = await opened();
        const channel = fresh();
        for (let i = 0; i < 1_000; i++) await put(store, `${channel} "${i} `, "1", 1);
        const left = await Promise.all(setup.servers.map((server) => countMembers(server, `ojm:{${channel}}`)));
        expect(Math.max(...left)).toBeLessThan(200);
      });

      it("keys of expired entries that were written together do not pile up in the index", async () => {
        const store = await opened();
        const channel = fresh();
        for (let i = 0; i < 20; i++) {
          const writes = Array.from({ length: 101 }, (_, j) => ({ key: `${channel} "${i} ${j} `, value: "1", ttl: 1 }));
          await applied(store, { checks: [], writes });
        }
        const left = await Promise.all(setup.servers.map((server) => countMembers(server, `ojm:{${channel}}`)));
        expect(Math.max(...left)).toBeLessThan(1_000);
      });

      it("keys of expired entries do not pile up in the index between entries that stay", async () => {
        const store = await opened();
        const channel = fresh();
        for (let i = 0; i < 800; i++) await put(store, `${channel} "${i} `, "1", i % 8 === 0 ? undefined : 1);
        const left = await Promise.all(setup.servers.map((server) => countMembers(server, `ojm:{${channel}}`)));
        // A hundred stay.
        expect(Math.max(...left)).toBeLessThan(500);
      });

      it("keys of expired entries do not pile up if they are written together with entries of another channel", async () => {
        const store = await opened();
        const channels = [fresh(), fresh()];
        for (let i = 0; i < 1_000; i++) {
          const writes = channels.map((channel) => ({ key: `${channel} "${i} `, value: "1", ttl: 1 }));
          if (store.supports.commitAcrossChannels) await applied(store, { checks: [], writes });
          else for (const write of writes) await applied(store, { checks: [], writes: [write] });
        }
        const left = await Promise.all(
          channels.flatMap((channel) => setup.servers.map((server) => countMembers(server, `ojm:{${channel}}`))),
        );
        expect(Math.max(...left)).toBeLessThan(200);
      });
    });

    describe("foreign data under the names of the backend", () => {
      it.each(["hello", "inf", "99999999999999999999", "-5"])(
        "the text %s in place of the last version is ignored, and versions still increase",
        async (text) => {
          const store = await opened();
          const channel = fresh();
          const version = await put(store, `${channel} "a `, "1");
          const names = ["ojm:version", `ojm:{${channel}}.version`];
          for (const name of names) await Promise.all(setup.servers.map((server) => scribble(server, name, text)));
          const next = await put(store, `${channel} "a `, "2");
          expect(BigInt(next)).toBeGreaterThan(BigInt(version));
          expect(BigInt(await put(store, `${channel} "a `, "3"))).toBeGreaterThan(BigInt(next));
        },
      );

      it.each(["no JSON", "17", "1 2x 3", "1 -- 3"])(
        "the text %j in place of an entry is reported as CORRUPT, and the other entries stay usable",
        async (text) => {
          const store = await opened();
          const channel = fresh();
          const [a, b] = [`${channel} "a `, `${channel} "b `];
          const versions = [await put(store, a, "1"), await put(store, b, "2")] as const;
          await Promise.all(setup.servers.map((server) => scribble(server, `ojm:{${channel}}:"a `, text)));

          expect(await keysOf(store, channel)).toEqual([a, b]);
          expect(await get(store, b)).toEqual({ key: b, value: "2", version: versions[1] });
          const corrupt = { code: "CORRUPT", message: expect.stringContaining(a) };
          expect(await faultOf(get(store, a))).toMatchObject(corrupt);
          expect(await faultOf(store.commit({ checks: [{ key: a, version: versions[0] }], writes: [] }))).toMatchObject(
            corrupt,
          );
          for (const version of [null, "0", "?", "1"]) {
            const check = { checks: [{ key: a, version }], writes: [{ key: a, value: "3" }] };
            expect(await faultOf(store.commit(check))).toMatchObject({ ...corrupt, outcome: "not-applied" });
          }
          await remove(store, a);
          expect(await keysOf(store, channel)).toEqual([b]);
        },
      );
    });

    describe("the layout of the store", () => {
      /** A part of the servers that no other test uses. */
      const ours = (): { args: Record<string, unknown>; mark: string } => {
        const keyPrefix = `${fresh()}:`;
        return { args: { ...setup.args, keyPrefix }, mark: `${keyPrefix}layout` };
      };
      const write = (mark: string, text: string): Promise<unknown> =>
        Promise.all(setup.servers.map((server) => scribble(server, mark, text)));
      const read = (mark: string): Promise<unknown> => ask(setup, "GET", mark);
      const newer = (args: Record<string, unknown>, layout: number): Record<string, unknown> => ({
        code: "INVALID_CONFIG",
        retryable: false,
        outcome: "not-applied",
        message: expect.stringMatching(
          new RegExp(
            `^(Redis at|the Redis Cluster at) .* \\(keyPrefix ${args["keyPrefix"]}\\) has layout ${layout}, and this version of @ojm/redis ` +
              "knows layouts up to 1: upgrade @ojm/redis and the other packages of ojm in this program$",
          ),
        ),
      });

      it("a store of a newer layout is refused, with a line that says what to upgrade", async () => {
        const { args, mark } = ours();
        await write(mark, "99");
        expect(await faultOf(open(args))).toEqual(newer(args, 99));
        await write(mark, "2 and more");
        expect(await faultOf(open(args))).toEqual(newer(args, 2));
        await write(mark, "1");
        await put(await open(args), 'c "a ', "1");
      });

      it("a mark that another program overwrote is left as it is, and stops neither a process nor open", async () => {
        const { args, mark } = ours();
        const clock = new LeapingClock();
        const store = await open(args, clock);
        await put(store, 'c "a ', "1");
        await until(async () => (await read(mark)) === "1", "the store is marked");
        await write(mark, "by another program");
        clock.leap(4_000);
        await put(store, 'c "a ', "2");
        // The answer to this write follows that of the check.
        await put(store, 'c "a ', "3");
        expect(await get(await open(args), 'c "a ')).toMatchObject({ value: "3" });
        expect(await get(store, 'c "a ')).toMatchObject({ value: "3" });
        expect(await read(mark)).toBe("by another program");
      });

      it("a store gets its mark from the first process that writes, not from those that read", async () => {
        const { args, mark } = ours();
        const store = await open(args);
        await store.commit({ checks: [{ key: 'c "a ', version: null }], writes: [] });
        expect(await get(store, 'c "a ')).toBeUndefined();
        expect(await keysOf(store, "c")).toEqual([]);
        expect(await read(mark)).toBeNull();
        await put(store, 'c "a ', "1");
        await until(async () => (await read(mark)) === "1", "the store is marked");
      });

      it("a process that has the store open gives an emptied store its mark again, and heeds a newer one until it is corrected", async () => {
        const { args, mark } = ours();
        const clock = new LeapingClock();
        const store = await open(args, clock);
        await put(store, 'c "a ', "1");
        await until(async () => (await read(mark)) === "1", "the store is marked");
        await Promise.all(setup.servers.map((server) => server.command("DEL", mark).catch(() => {})));
        clock.leap(4_000);
        await put(store, 'c "a ', "2");
        await until(async () => (await read(mark)) === "1", "the store is marked again");

        await write(mark, "2");
        clock.leap(4_000);
        await put(store, 'c "a ', "3");
        await until(async () => (await get(store, 'c "a ').catch(() => undefined)) === undefined, "reads are refused");
        const range = { from: "c ", to: "c!", reverse: false, limit: 1, values: true };
        const sink = { change() {}, gap() {}, fail() {} };
        const calls = [put(store, 'c "a ', "4"), get(store, 'c "a '), store.scan(range), store.watch(range, sink)];
        for (const call of calls) expect(await faultOf(call)).toEqual(newer(args, 2));

        await write(mark, "1");
        clock.leap(4_000);
        await until(async () => (await get(store, 'c "a ').catch(() => undefined)) !== undefined, "it opens again");
        await put(store, 'c "a ', "5");
      });
    });

    describe("watch", () => {
      it("a watch reports the changes in its range, by its own backend and by others, in order", async () => {
        const channel = fresh();
        const [own, foreign] = [await opened(), await open(setup.args)];
        const notes = await watch(own, channel);
        const key = `${channel} "a `;
        const told: unknown[] = [];
        for (let i = 0; i < 50; i++) {
          const store = i % 2 === 0 ? own : foreign;
          told.push({ key, value: `${i}\0 \n`, version: await put(store, key, `${i}\0 \n`) });
          await put(store, `${channel}x "a `, "neighbour");
        }
        told.push({ key, value: null, version: await remove(foreign, key) });
        told.push({ key, value: "last", version: await put(foreign, key, "last", 60_000), expiresIn: 60_000 });
        await until(() => notes.all.length >= told.length, "the watches report everything");
        expect(notes.all).toEqual(told);
      });

      it("a watch reports only changes in its range, and none once it is stopped", async () => {
        const store = await opened();
        const channel = fresh();
        const notes = await watch(store, channel);
        const some: string[] = [];
        const sink = { change: ({ key }: { key: string }) => void some.push(key), gap() {}, fail() {} };
        const stop = await store.watch({ from: `${channel} "b `, to: `${channel} "d ` }, sink);
        for (const name of ["a", "b", "c", "d"]) await put(store, `${channel} "${name} `, "1");
        await until(() => notes.changes.length === 4, "the watches report everything");
        expect(some).toEqual([`${channel} "b `, `${channel} "c `]);
        stop();
        await put(store, `${channel} "b `, "2");
        await until(() => notes.changes.length === 5, "the other watch continues");
        expect(some).toHaveLength(2);
      });

      it("watches of two channels report that the same key of both is deleted, be it by one commit", async () => {
        const store = await opened();
        const keys = [fresh(), fresh()].map((channel) => `${channel} "a `);
        const notes = await Promise.all(keys.map((key) => watch(store, key.slice(0, -4))));
        for (const key of keys) await put(store, key, "1");
        const writes = keys.map((key) => ({ key, value: null }));
        if (store.supports.commitAcrossChannels) await applied(store, { checks: [], writes });
        else for (const { key } of writes) await remove(store, key);
        await until(() => notes.every(({ changes }) => changes.length === 2), "the watches report everything");
        expect(notes.map(({ changes }) => changes[1]?.key)).toEqual(keys);
      });

      it("a watch reports a gap once it listens again after its connection broke", async () => {
        const channel = fresh();
        const store = await opened();
        const notes = await watch(store, channel);
        await Promise.all(setup.servers.map((server) => server.command("CLIENT", "KILL", "TYPE", "pubsub")));
        await until(() => notes.gaps === 1, "the watch reports a gap");
        const version = await put(store, `${channel} "a `, "1");
        await until(() => notes.changes.length === 1, "it listens again");
        expect(notes.all).toEqual(["gap", { key: `${channel} "a `, value: "1", version }]);
      });
    });
  });
}

/** The answer of the server that has this name. */
async function ask(setup: Setup, command: string, name: string): Promise<unknown> {
  return Promise.any(setup.servers.map((server) => server.command(command, name)));
}

async function countMembers(server: RedisServer, name: string): Promise<number> {
  // The other nodes of a Cluster redirect.
  return Number(await server.command("ZCARD", name).catch(() => 0));
}

async function scribble(server: RedisServer, name: string, text: string): Promise<void> {
  await server.command("SET", name, text).catch(() => {});
}
