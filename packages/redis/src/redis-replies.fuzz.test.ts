import {
  type Backend,
  type Commit,
  type CommitOutcome,
  isChannelError,
  justAfter,
  type StoredEntry,
  systemClock,
} from "@ojm/core/backend";
import { fuzz } from "@ojm/testing/fuzz";
import { type RedisServer, startRedis, whyMissing } from "@ojm/testing/redis";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { backend } from "./index.js";
import { type Damage, type DamagingProxy, startDamagingProxy } from "./testing/damaging-proxy.js";
import type { Resp } from "./testing/resp.js";
import { Notes, put } from "./testing/stores.js";

/*
 * Replies of a real server that are damaged on their way. Each call ends with a result or with a
 * `ChannelError`, and neither may lie: an entry that exists is never reported as absent, a commit that was
 * applied never as refused, and one that was not applied never as applied.
 */

/** How long the calls have, in ms. One whose reply is lost takes all of it. */
const DEADLINE = 300;

const CALLS = ["read", "reads", "scan", "put", "puts", "check", "stale", "absent", "watch"] as const;

/** A way to use a store, and which replies are damaged: while it is opened, and while it is used. */
interface Scene {
  readonly calls: readonly (typeof CALLS)[number][];
  readonly atOpen: readonly (readonly [reply: number, damage: Damage])[];
  readonly atCalls: readonly (readonly [reply: number, damage: Damage])[];
}

/** Values that are out of place. None is a version: one that the server did not give cannot be recognised. */
const OTHERS: readonly Resp[] = [
  { tag: "$", text: null },
  { tag: "_", text: "" },
  { tag: "*", items: null },
  { tag: "*", items: [] },
  { tag: "*", items: [{ tag: "$", text: "x" }] },
  { tag: "*", items: [{ tag: "*", items: [] }] },
  { tag: "~", items: [] },
  {
    tag: "%",
    items: [
      { tag: "+", text: "a" },
      { tag: ":", text: "1" },
    ],
  },
  { tag: "$", text: "x" },
  { tag: "+", text: "OK" },
  { tag: "$", text: "unknown x" },
  { tag: "$", text: "?" },
  { tag: ":", text: "5" },
  { tag: ":", text: "-1" },
  { tag: ",", text: "1.5" },
  { tag: "#", text: "t" },
  // Not a number above 0: no reader could distinguish it from a version.
  { tag: "(", text: "-99999999999999999999" },
  { tag: "-", text: "ERR damaged" },
];

const other = fc.constantFrom(...OTHERS);
const node = fc.nat({ max: 30 });
const place = fc.nat({ max: 200 });
const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("replace" as const), node, by: other }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("insert" as const), node, by: other }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), node }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("cut" as const, "silence" as const), place }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("split" as const) }) },
);
const damages = (last: number, most: number): fc.Arbitrary<[number, Damage][]> =>
  fc.uniqueArray(fc.tuple(fc.nat({ max: last }), damage), { maxLength: most, selector: ([at]) => at });

const inputs: fc.Arbitrary<Scene> = fc.record({
  calls: fc.array(fc.constantFrom(...CALLS), { minLength: 1, maxLength: 4 }),
  atOpen: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: damages(6, 1) }),
  atCalls: damages(5, 2),
});

let server: RedisServer;
/** The same store, without damage: to find out what is true. */
let direct: Backend;
let scenes = 0;

/** The outcome of a call. An error must be one of ours. */
async function settled<T>(call: Promise<T>): Promise<{ readonly result: T } | { readonly outcome: string }> {
  try {
    return { result: await call };
  } catch (error) {
    if (!isChannelError(error)) throw error;
    return { outcome: error.outcome };
  }
}

/** Calls of one scene, in a channel of its own with the entries `a` and `b`. */
class Calls {
  readonly #store: Backend;
  readonly #channel: string;
  #version = "";
  #keys = 0;

  constructor(store: Backend, channel: string) {
    this.#store = store;
    this.#channel = channel;
  }

  async prepare(): Promise<void> {
    this.#version = await put(direct, this.#key("a"), '"first"');
    await put(direct, this.#key("b"), '"second"', 3_600_000);
  }

  async make(call: Scene["calls"][number]): Promise<void> {
    const [a, b] = [this.#key("a"), this.#key("b")];
    if (call === "read") return this.#read([a, b, this.#key("none")]);
    if (call === "reads") return void (await Promise.all([this.#read([b]), this.#read([this.#key("none"), a])]));
    if (call === "scan") return this.#scan();
    if (call === "watch") return this.#watch(a);
    const commits = call === "puts" ? [this.#put(), this.#put()] : [this.#commit(call)];
    await Promise.all(commits.map((commit) => this.#judge(commit, call !== "stale")));
  }

  #key(name: string): string {
    return `${this.#channel} "${name} `;
  }

  #put(): Commit {
    return { checks: [], writes: [{ key: this.#key(`new-${this.#keys++}`), value: '"new"' }] };
  }

  #commit(call: "put" | "puts" | "check" | "stale" | "absent"): Commit {
    const { writes } = this.#put();
    const key = this.#key("a");
    if (call === "check") return { checks: [{ key, version: this.#version }], writes };
    if (call === "stale")
      return {
        checks: [
          { key: this.#key("b"), version: null },
          { key, version: "1" },
        ],
        writes,
      };
    if (call === "absent") return { checks: [{ key: this.#key("none"), version: null }], writes };
    return { checks: [], writes };
  }

  async #read(keys: readonly string[]): Promise<void> {
    const read = await settled(this.#store.read(keys));
    if (!("result" in read)) return expect(read.outcome).toBe("not-applied");
    expect(read.result.length).toBe(keys.length);
    for (const [i, key] of keys.entries()) {
      if (key === this.#key("none")) expect(read.result[i], "an entry that does not exist").toBeUndefined();
      else this.#expectEntry(read.result[i], key);
    }
  }

  #expectEntry(entry: StoredEntry | undefined, key: string): void {
    expect(entry?.key, "an entry that exists").toBe(key);
    expect(entry?.version).toMatch(/^\d+$/);
    expect(typeof entry?.value).toBe("string");
    expect(["number", "undefined"]).toContain(typeof entry?.expiresIn);
  }

  async #scan(): Promise<void> {
    const range = { from: `${this.#channel} `, to: `${this.#channel}!`, reverse: false, limit: 100, values: true };
    const before = (await direct.scan(range)).entries.length;
    const scan = await settled(this.#store.scan(range));
    if (!("result" in scan)) return expect(scan.outcome).toBe("not-applied");
    // The put of an earlier call that got no answer may be applied between two scans.
    const after = (await direct.scan(range)).entries.length;
    // A key that was replaced by another text cannot be recognised.
    expect(scan.result.entries.length, "the number of entries").toBeGreaterThanOrEqual(before);
    expect(scan.result.entries.length, "the number of entries").toBeLessThanOrEqual(after);
    for (const entry of scan.result.entries) this.#expectEntry(entry, entry.key);
  }

  async #watch(key: string): Promise<void> {
    const notes = new Notes();
    const watch = await settled(this.#store.watch({ from: key, to: justAfter(key) }, notes));
    if ("result" in watch) watch.result();
    else expect(watch.outcome).toBe("not-applied");
  }

  /** Judges the answer to a commit by what the store has. `isRight`: its checks hold. */
  async #judge(commit: Commit, isRight: boolean): Promise<void> {
    const answer = await settled<CommitOutcome>(this.#store.commit(commit));
    if ("outcome" in answer && answer.outcome === "unknown") return;
    const [written] = await direct.read(commit.writes.map(({ key }) => key));
    const isApplied = written !== undefined;
    if ("outcome" in answer) return expect(isApplied, "applied, by a commit that failed").toBe(false);
    expect(answer.result.ok, "the answer").toBe(isApplied);
    if (answer.result.ok) {
      expect(answer.result.version).toMatch(/^\d+$/);
      return;
    }
    expect(isRight, "a commit that was refused, of which all checks hold").toBe(false);
    const { current } = answer.result;
    expect(current.length).toBe(commit.checks.length);
    for (const [i, { key }] of commit.checks.entries()) this.#expectEntry(current[i], key);
  }
}

async function play({ calls, atOpen, atCalls }: Scene, proxy: DamagingProxy): Promise<void> {
  proxy.damage(new Map(atOpen));
  const isDamaged = atOpen.length > 0 || atCalls.length > 0;
  // Without damage, a slow machine must not end the calls.
  const args = { url: `redis://127.0.0.1:${proxy.port}`, deadline: isDamaged ? DEADLINE : 30_000 };
  const opened = await settled(backend.open(args, { clock: systemClock }));
  if (!("result" in opened)) return expect(isDamaged, "a store that is not damaged opens").toBe(true);
  const store = opened.result;
  try {
    const scene = new Calls(store, `scene-${scenes++}`);
    await scene.prepare();
    proxy.damage(new Map(atCalls));
    for (const call of calls) await scene.make(call);
  } finally {
    await store.close();
  }
}

const missing = whyMissing("redis-server");
describe.skipIf(missing !== undefined)(`replies of Redis ${missing ?? ""}`, () => {
  beforeAll(async () => {
    server = await startRedis();
    direct = await backend.open({ url: server.url }, { clock: systemClock });
    // The server knows all scripts from then on: the numbers of the replies stay the same.
    await Promise.all(["a", "b"].map((name) => put(direct, `first "${name} `, "1")));
    await put(direct, 'first "c ', "1");
    await direct.read(['first "a ']);
    await direct.scan({ from: "first ", to: "first!", reverse: false, limit: 1, values: true });
  });
  afterAll(async () => {
    await direct?.close();
    await server?.stop();
  });

  fuzz({
    name: "redis-replies",
    inputs,
    check: async (scene) => {
      const proxy = await startDamagingProxy(server.port);
      try {
        await play(scene, proxy);
      } finally {
        proxy.close();
      }
    },
    runs: { some: 100, many: 3_000 },
  });
});
