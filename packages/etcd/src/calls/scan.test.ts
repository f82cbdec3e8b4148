import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LargeRanges } from "./large-ranges.js";
import type { RangeRequest, RangeResponse } from "./messages.js";
import { backward, forward } from "./scan.js";

/** Answers as a node does, from these keys, and counts the keys that it had to visit. */
class Node {
  visited = 0;
  calls = 0;
  readonly #keys: readonly Buffer[];

  constructor(keys: readonly Buffer[]) {
    this.#keys = [...keys].sort(Buffer.compare);
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
  const large = new LargeRanges();
  const found: Buffer[] = [];
  let from: Buffer = FROM;
  let to: Buffer = TO;
  for (;;) {
    const page = await (reverse ? backward : forward)(node.range, large, { from, to, limit, keys_only: true });
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
  it.each(SHAPES)("of a large range of %s finds each key once, and has few keys counted", async (_, keyOf) => {
    const keys = Array.from({ length: 200_000 }, (_, i) => Buffer.from(keyOf(i)));
    const node = new Node(keys);
    const found = await all(node, reverse, 200);
    const expected = [...keys].sort(Buffer.compare);
    expect(found.map(String)).toEqual((reverse ? expected.reverse() : expected).map(String));
    // A page that counted all that is left would have 100,000 keys counted, on average.
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
  const large = new LargeRanges();
  const found: string[] = [];
  let from: Buffer = FROM;
  for (;;) {
    const { kvs } = await forward(node.range, large, { from, to: TO, limit: 1, keys_only: true });
    const name = Number(/job-(\d+)/.exec(String(kvs[0]?.key))?.[1]);
    if (kvs.length === 0) break;
    found.push(String(name));
    from = keyOf(name, "startTime =~");
  }
  expect(found).toEqual(Array.from({ length: names }, (_, i) => String(i)));
  // A count of all that comes after would visit two million.
  expect(node.visited).toBeLessThan(500_000);
  expect(node.calls).toBeLessThan(2 * names);
});
