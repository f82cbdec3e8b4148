import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RangeRequest, RangeResponse } from "../calls/messages.js";
import { backward, forward, Memory } from "./scan.js";

/** Answers as a node does, from these keys, and counts the keys that it had to visit. */
class Node {
  visited = 0;
  calls = 0;
  #keys: readonly Buffer[] = [];

  constructor(keys: readonly Buffer[]) {
    this.set(keys);
  }

  set(keys: readonly Buffer[]): void {
    this.#keys = [...keys].sort(Buffer.compare);
    this.visited = 0;
    this.calls = 0;
  }

  /** The first key that is not below `key`. */
  #at(key: Buffer): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Buffer.compare(this.#keys[middle] as Buffer, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  readonly range = async ({ key, range_end, limit = 0, sort_order }: RangeRequest): Promise<RangeResponse> => {
    const keys = this.#keys.slice(this.#at(key), this.#at(range_end as Buffer));
    this.visited += keys.length;
    this.calls++;
    if (sort_order === "Descend") keys.reverse();
    const kvs = keys.slice(0, limit).map((key) => ({ key }));
    return { kvs, more: keys.length > kvs.length, count: String(keys.length) } as unknown as RangeResponse;
  };
}

const FROM = Buffer.from("a");
const TO = Buffer.from("z");

/** All keys of a scan, page by page. */
async function all(node: Node, reverse: boolean, limit: number): Promise<Buffer[]> {
  const memory = new Memory();
  const found: Buffer[] = [];
  let from: Buffer = FROM;
  let to: Buffer = TO;
  for (;;) {
    const page = await (reverse ? backward : forward)(node.range, memory, { from, to, limit, keys_only: true });
    expect(page.kvs.length).toBeLessThanOrEqual(limit);
    found.push(...page.kvs.map(({ key }) => key));
    const last = found.at(-1);
    if (!page.more || last === undefined) return found;
    // A page without entries would end a scan.
    expect(page.kvs.length).toBeGreaterThan(0);
    if (reverse) to = last;
    else from = Buffer.concat([last, Buffer.of(0)]);
  }
}

const SHAPES: readonly (readonly [string, (i: number) => string])[] = [
  ["numbers", (i) => `n${String(i).padStart(8, "0")}`],
  ["times and names", (i) => `k[=511:${1_764_000_000_000 + 61_357 * i} "job-${(i * 7_919) % 1_000} `],
  ["names and times", (i) => `k{name "job-${i % 200} startTime =511:${1_764_000_000_000 + i} `],
  ["chance", (i) => `k${((i * 2_654_435_761) % 4_294_967_296).toString(36)}`],
];

describe.each([
  ["forward", false],
  ["backward", true],
])("a scan %s", (_, reverse) => {
  for (const [shape, keyOf] of SHAPES)
    it(`of a large range of ${shape} finds each key once, and has few keys counted`, {
      // The records of runs have keys like that.
      tags: shape === "names and times" && !reverse ? [] : ["full"],
    }, async () => {
      const keys = Array.from({ length: 200_000 }, (_, i) => Buffer.from(keyOf(i)));
      const node = new Node(keys);
      const found = await all(node, reverse, 200);
      const expected = [...keys].sort(Buffer.compare);
      expect(found.map(String)).toEqual((reverse ? expected.reverse() : expected).map(String));
      // A page that counted all remaining keys would make the node count 100,000 keys, on average.
      expect(node.visited / node.calls).toBeLessThan(10_000);
      // A page backward takes at least two.
      expect(node.calls).toBeLessThan((reverse ? 8 : 2) * (keys.length / 200));
    });

  it("of any keys finds each of them once", async () => {
    const key = fc.string({ maxLength: 6 }).map((text) => Buffer.from(`b${text}`));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { selector: String }),
        fc.integer({ min: 1, max: 30 }),
        async (keys, limit) => {
          const found = await all(new Node(keys), reverse, limit);
          const expected = [...keys].sort(Buffer.compare);
          expect(found).toEqual(reverse ? expected.reverse() : expected);
        },
      ),
    );
  });
});

it("skips from name to name without a count of all that comes after", async () => {
  const [names, each] = [100, 400];
  const keyOf = (name: number, rest: string): Buffer =>
    Buffer.from(`k{name "job-${String(name).padStart(3, "0")}" ${rest}`);
  const all = Array.from({ length: names * each }, (_, i) =>
    keyOf(i % names, `startTime =511:${1_764_000_000_000 + i} `),
  );
  const node = new Node(all);
  const memory = new Memory();
  const walk = async (): Promise<number[]> => {
    const found: number[] = [];
    let from: Buffer = FROM;
    for (;;) {
      const { kvs } = await forward(node.range, memory, { from, to: TO, limit: 1, keys_only: true });
      if (kvs.length === 0) return found;
      const name = Number(/job-(\d+)/.exec(String(kvs[0]?.key))?.[1]);
      found.push(name);
      from = keyOf(name, "startTime =~");
    }
  };
  const expected = Array.from({ length: names }, (_, i) => i);
  expect(await walk()).toEqual(expected);
  // A count of all later keys would visit two million.
  expect(node.visited).toBeLessThan(500_000);
  expect(node.calls).toBeLessThan(2 * names);
  const first = node.visited;
  node.set(all);
  expect(await walk()).toEqual(expected);
  // The next walk takes the same path as the first one.
  expect(node.visited).toBeLessThan(first / 4);
  expect(node.calls).toBeLessThan(2 * names);
});

const STEP = 3_000;
const timeKey = (i: number): Buffer => Buffer.from(`k[=512:${1_764_000_000_000 + STEP * i} "job-${i % 500} `);
const TIMES: readonly Buffer[] = Array.from({ length: 20_000 }, (_, i) => timeKey(i));
/** All keys of times end before this one. */
const ENDLESS = Buffer.from("k[=808:17976931348623157 ");

describe("the newest entries of a range", () => {
  it.each([1, 8, 71, 100, 500])("cost two round trips once they were searched for, %i at a time", async (limit) => {
    const node = new Node(TIMES);
    const memory = new Memory();
    const newest = async (from: Buffer): Promise<void> => {
      const { kvs } = await backward(node.range, memory, { from, to: ENDLESS, limit, keys_only: true });
      expect(kvs.length).toBe(limit);
      expect(kvs[0]?.key).toEqual(timeKey(19_999));
    };
    await newest(timeKey(12_000));
    node.set(TIMES);
    // A window of time advances.
    for (let i = 0; i < 10; i++) await newest(timeKey(12_000 + i));
    expect(node.calls).toBe(20);
    expect(node.visited).toBeLessThan(10 * 2 * 4 * Math.max(100, 2 * limit));
  });

  it("cost two round trips even if the end of the range moves on", async () => {
    const node = new Node(TIMES);
    const memory = new Memory();
    const last = async (i: number): Promise<void> => {
      const { kvs } = await backward(node.range, memory, { from: FROM, to: timeKey(i), limit: 1, keys_only: true });
      expect(kvs.map(({ key }) => key)).toEqual([timeKey(i - 1)]);
    };
    await last(16_000);
    node.set(TIMES);
    for (let i = 1; i <= 10; i++) await last(16_000 + i);
    expect(node.calls).toBe(20);
  });

  it("are found whatever was added and deleted since they were searched for", async () => {
    const change = fc.record({ add: fc.integer({ min: 0, max: 2_000 }), remove: fc.integer({ min: 0, max: 2_000 }) });
    const changes = fc.array(change, { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(changes, fc.integer({ min: 1, max: 300 }), async (all, limit) => {
        let [first, end] = [0, 2_000];
        const memory = new Memory();
        const node = new Node([]);
        for (const { add, remove } of all) {
          end = Math.max(first, end - remove) + add;
          const keys = TIMES.slice(first, end);
          node.set(keys);
          const page = await backward(node.range, memory, { from: FROM, to: ENDLESS, limit, keys_only: true });
          expect(page.kvs.map(({ key }) => key)).toEqual(keys.slice(-limit).reverse());
          first += Math.floor(remove / 2);
          end = Math.max(first, end);
        }
      }),
      { numRuns: 15 },
    );
  });
});

it("the first entries of a large range are read again without a count of all others", async () => {
  const memory = new Memory();
  const node = new Node([]);
  const read = (limit: number): ReturnType<typeof forward> =>
    forward(node.range, memory, { from: FROM, to: TO, limit, keys_only: true });
  for (const gone of [0, 0, 1, 150]) {
    for (const limit of [1, 100]) {
      node.set(TIMES.slice(gone));
      const { kvs } = await read(limit);
      expect(kvs.map(({ key }) => key)).toEqual(TIMES.slice(gone, gone + limit));
      // If entries of the page are gone, everything is counted once more.
      await read(limit);
      node.set(TIMES.slice(gone));
      await read(limit);
      expect({ visited: node.visited, calls: node.calls }).toEqual({ visited: limit, calls: 1 });
    }
  }
});
