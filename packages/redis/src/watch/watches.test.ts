import { type Backend, justAfter } from "@ojm/core/backend";
import { type RedisServer, until, whyMissing } from "@ojm/testing/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Setup, setups } from "../testing/setups.js";
import { applied, Notes, open, put, remove, watch, watchKey, watchPrefix } from "../testing/stores.js";

for (const { title, binary, start } of setups) {
  const missing = whyMissing(binary);
  if (missing !== undefined) console.warn(`skipped, watches of one key on "${title}": ${missing}`);

  describe.skipIf(missing !== undefined)(`watches of one key on ${title}`, () => {
    let setup: Setup;
    let channels = 0;
    /** A channel of its own for each test. */
    const fresh = (): string => `channel-${++channels}`;
    /** The subscriptions on all servers. */
    const listenedTo = async (): Promise<string[]> => {
      const names = await Promise.all(setup.servers.map(subscriptions));
      return names.flat().sort();
    };

    beforeAll(async () => {
      setup = await start();
    });
    afterAll(() => setup.stop());

    it("a watch of one key reports every change of that key, and none of its neighbours or longer keys", async () => {
      const channel = fresh();
      const [store, writer] = [await open(setup.args), await open(setup.args)];
      const key = `${channel} "a `;
      const neighbours = [`${channel} "`, `${channel} "a`, `${key}"b `, `${key} `, `${channel} "b `, `${channel}x "a `];
      const [one, all] = [await watchKey(store, key), await watch(store, channel)];
      const told: unknown[] = [];
      for (const value of ["1", "2\0 \n"]) {
        for (const neighbour of neighbours) await put(writer, neighbour, value);
        told.push({ key, value, version: await put(writer, key, value) });
      }
      told.push({ key, value: null, version: await remove(writer, key) });
      told.push({ key, value: "3", version: await put(store, key, "3", 60_000), expiresIn: 60_000 });
      const writes = [...neighbours.slice(0, 5), key].map((each) => ({ key: each, value: "4" }));
      told.push({ key, value: "4", version: await applied(writer, { checks: [], writes }) });
      await until(() => one.all.length >= told.length && all.changes.length >= 18, "the watch reports everything");
      expect(one.all).toEqual(told);
      expect(all.changes.filter((change) => change.key === key)).toEqual(told);
    });

    it("watches of one key subscribe to that key alone, and to nothing once they are stopped", async () => {
      const channel = fresh();
      const store = await open(setup.args);
      const keys = [`${channel} "a `, `${channel} "b `];
      const stops = [];
      for (const key of [...keys, ...keys])
        stops.push(await store.watch({ from: key, to: justAfter(key) }, new Notes()));
      expect(await listenedTo()).toEqual([`ojm:{${channel}}:"a `, `ojm:{${channel}}:"b `]);
      stops.pop()?.();
      stops.shift()?.();
      for (const stop of stops) stop();
      await until(async () => (await listenedTo()).length === 0, "nothing is listened to");
    });

    it("a watch of all keys with one first part reports every change of them, and none of others", async () => {
      const channel = fresh();
      const [store, writer] = [await open(setup.args), await open(setup.args)];
      const part = `${channel} "a*[b]\\?`;
      const ours = [`${part} `, `${part} "x `, `${part} "x #1 `, `${part}  `];
      const others = [
        `${channel} "a `,
        `${part}`,
        `${part}x `,
        `${channel} "aXb "x `,
        `${channel} "b "a `,
        `${channel}x "a `,
      ];
      const [one, all] = [await watchPrefix(store, `${part} `), await watch(store, channel)];
      const told: unknown[] = [];
      for (const key of ours) {
        for (const other of others) await put(writer, other, "1");
        told.push({ key, value: "1", version: await put(writer, key, "1") });
        told.push({ key, value: null, version: await remove(writer, key) });
      }
      const changes = ours.length * (2 + others.length - 1);
      await until(() => one.all.length >= told.length && all.changes.length >= changes, "the watch reports everything");
      expect(one.all).toEqual(told);
    });

    it("the server sends a watch of one first part nothing else, except in a Cluster", async () => {
      const channel = fresh();
      const store = await open(setup.args);
      const notes = await watchPrefix(store, `${channel} "a `);
      const whole = title === "Redis Cluster";
      expect(await listenedTo()).toEqual(whole ? [`ojm:{${channel}}`] : []);
      const patterns = await Promise.all(setup.servers.map((server) => server.command("PUBSUB", "NUMPAT")));
      expect(Math.max(...patterns.map(Number))).toBe(whole ? 0 : 1);
      const version = await put(store, `${channel} "a "b `, "1");
      await until(() => notes.all.length > 0, "the watch reports it");
      expect(notes.all).toEqual([{ key: `${channel} "a "b `, value: "1", version }]);
    });

    it("a new watch of a key misses no write, even while the last watch of that key is just being stopped", async () => {
      const store = await open(setup.args);
      const key = `${fresh()} "a `;
      const range = { from: key, to: justAfter(key) };
      let stop = await store.watch(range, new Notes());
      for (let i = 0; i < 200; i++) {
        stop();
        const notes = new Notes();
        stop = await store.watch(range, notes);
        const version = await put(store, key, String(i));
        await until(() => notes.changes.length > 0, "the watch reports the change");
        expect(notes.all).toEqual([{ key, value: String(i), version }]);
      }
      stop();
      await until(async () => (await listenedTo()).length === 0, "nothing is listened to");
    });

    it("watches of one key that come and go by the hundred miss no write that is made while they last", async () => {
      const channel = fresh();
      const [store, writer] = [await open(setup.args), await open(setup.args)];
      const all = await watch(store, channel);
      const visit = async (visitor: number): Promise<void> => {
        const key = `${channel} "${visitor % 3} `;
        for (let i = 0; i < 30; i++) {
          const notes = new Notes();
          const stop = await store.watch({ from: key, to: justAfter(key) }, notes);
          const version = await put(visitor % 2 === 0 ? store : writer, key, `${visitor} ${i}`);
          await until(() => notes.changes.some((change) => change.version === version), "the watch reports the change");
          stop();
          const versions = notes.changes.map((change) => Number(change.version));
          expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
          expect(notes.all).toHaveLength(versions.length);
        }
      };
      await Promise.all(Array.from({ length: 32 }, (_, visitor) => visit(visitor)));
      await until(() => all.changes.length === 32 * 30, "the watch of all keys reports everything");
      expect(all.gaps).toBe(0);
      await until(async () => (await listenedTo()).join() === `ojm:{${channel}}`, "only that one listens");
    });

    it("a watch of one key reports a gap after its connection broke, and a watch stopped meanwhile does not", async () => {
      const channel = fresh();
      const store = await open(setup.args);
      const [a, b] = [`${channel} "a `, `${channel} "b `];
      const [kept, over] = [await watchKey(store, a), new Notes()];
      const stop = await store.watch({ from: b, to: justAfter(b) }, over);
      const killing = Promise.all(setup.servers.map((server) => server.command("CLIENT", "KILL", "TYPE", "pubsub")));
      stop();
      await killing;
      const again = await watchKey(store, b);
      await until(() => kept.gaps === 1, "the watch reports a gap");
      const versions = [await put(store, a, "1"), await put(store, b, "1")];
      await until(() => kept.changes.length === 1 && again.changes.length === 1, "they listen again");
      expect(kept.all).toEqual(["gap", { key: a, value: "1", version: versions[0] }]);
      expect(again.changes).toEqual([{ key: b, value: "1", version: versions[1] }]);
      expect(over.all).toEqual([]);
    });

    it.skipIf(title === "Redis Cluster")(
      "watches of a key, of a part and of a channel report nothing of the other databases of the server",
      async () => {
        const channel = fresh();
        const key = `${channel} "a `;
        const [store, other] = [await open(setup.args), await open({ ...setup.args, db: 5 })];
        const all = async (of: Backend): Promise<Notes[]> => [
          await watchKey(of, key),
          await watchPrefix(of, key),
          await watch(of, channel),
        ];
        const [notes, theirs] = [await all(store), await all(other)];
        const version = await put(other, key, "other");
        await put(store, key, "own");
        await until(() => [...notes, ...theirs].every(({ all }) => all.length > 0), "all watches report something");
        for (const { changes } of theirs) expect(changes).toEqual([{ key, value: "other", version }]);
        for (const { changes } of notes) expect(changes.map(({ value }) => value)).toEqual(["own"]);
      },
    );

    it("watches of one key report all that a commit of many keys writes, wherever the keys lie", async () => {
      const channel = fresh();
      const store: Backend = await open(setup.args);
      const keys = Array.from({ length: 32 }, (_, i) => `${channel} "${i} `);
      const watched = await Promise.all(keys.map((key) => watchKey(store, key)));
      const puts = { checks: [], writes: keys.map((key) => ({ key, value: key })) };
      const version = await applied(store, puts);
      const gone = await applied(store, { checks: [], writes: keys.map((key) => ({ key, value: null })) });
      await until(() => watched.every(({ all }) => all.length >= 2), "the watches report everything");
      keys.forEach((key, i) => {
        const told = [
          { key, value: key, version },
          { key, value: null, version: gone },
        ];
        expect(watched[i]?.all).toEqual(told);
      });
    });
  });
}

/** All subscriptions on this server. */
async function subscriptions(server: RedisServer): Promise<string[]> {
  const lists = await Promise.all(
    ["CHANNELS", "SHARDCHANNELS"].map((kind) => server.command("PUBSUB", kind, "ojm:*") as Promise<string[]>),
  );
  return lists.flat();
}
