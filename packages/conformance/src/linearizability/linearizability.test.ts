import { describe, expect, it, vi } from "vitest";
import { assertLinearizable, NotLinearizable } from "./assert.js";
import { findViolation } from "./check.js";
import type { CommitOperation, History, Operation, ReadOperation, Seen } from "./history.js";
import { valueFor } from "./history.js";
import { shrink } from "./shrink.js";

const UNKNOWN = Number.POSITIVE_INFINITY;

function seen(id: number, version = id * 10): Seen {
  return { value: valueFor(id), version: String(version) };
}

function read(id: number, [invoked, returned]: [number, number], what: Seen | undefined, key = "k"): ReadOperation {
  return { id, client: id, kind: "read", keys: [key], seen: [what], invoked, returned };
}

function put(
  id: number,
  [invoked, returned]: [number, number],
  options: Partial<CommitOperation> = {},
): CommitOperation {
  const outcome = returned === UNKNOWN ? { type: "unknown" as const } : { type: "applied" as const, version: `${id}0` };
  const writes = [{ key: "k", put: true }];
  return { id, client: id, kind: "commit", checks: [], writes, outcome, invoked, returned, ...options };
}

function remove(id: number, times: [number, number], options: Partial<CommitOperation> = {}): CommitOperation {
  return put(id, times, { writes: [{ key: "k", put: false }], ...options });
}

function expecting(version: string | null): Pick<CommitOperation, "checks"> {
  return { checks: [{ key: "k", version }] };
}

function refused(current: Seen | undefined): Pick<CommitOperation, "outcome"> {
  return { outcome: { type: "refused", current: [current] } };
}

const RIGHT: Readonly<Record<string, History>> = {
  "nothing at all": [],
  "a read of nothing": [read(1, [1, 2], undefined)],
  "a write, then a read of it": [put(1, [1, 2]), read(2, [3, 4], seen(1))],
  "a read during a write that sees it, and one that does not": [
    put(1, [1, 10]),
    read(2, [2, 3], undefined),
    read(3, [4, 5], seen(1)),
  ],
  "two writes at once and the later version stays": [put(1, [1, 10]), put(2, [2, 9]), read(3, [11, 12], seen(2))],
  "a write without an answer that is seen much later": [
    put(1, [1, UNKNOWN]),
    read(2, [2, 3], undefined),
    read(3, [8, 9], seen(1, 55)),
  ],
  "a write without an answer that never happened": [put(1, [1, UNKNOWN]), read(2, [2, 3], undefined), put(3, [4, 5])],
  "a delete without an answer that happens between two reads": [
    put(1, [1, 2]),
    remove(2, [3, UNKNOWN]),
    read(3, [4, 5], seen(1)),
    read(4, [6, 7], undefined),
  ],
  "one winner of two creates": [
    put(1, [1, 10], expecting(null)),
    put(2, [2, 9], { ...expecting(null), ...refused(seen(1)) }),
  ],
  "a create after a delete": [put(1, [1, 2]), remove(2, [3, 4]), put(3, [5, 6], expecting(null))],
  "a chain of compare-and-sets": [
    put(1, [1, 2], expecting(null)),
    put(2, [3, 4], expecting("10")),
    put(3, [5, 6], { ...expecting("10"), ...refused(seen(2)) }),
  ],
  "a failed write that left nothing": [
    put(1, [1, 2], { outcome: { type: "not-applied" } }),
    read(2, [3, 4], undefined),
  ],
  "two keys written at once, seen at once": [
    put(1, [1, 10], {
      writes: [
        { key: "a", put: true },
        { key: "b", put: true },
      ],
    }),
    { id: 2, client: 2, kind: "read", keys: ["a", "b"], seen: [seen(1), seen(1)], invoked: 2, returned: 3 },
  ],
};

const WRONG: Readonly<Record<string, History>> = {
  "a write that is not read afterwards": [put(1, [1, 2]), read(2, [3, 4], undefined)],
  "an old value after a new one was read": [
    put(1, [1, 2]),
    put(2, [3, 20]),
    read(3, [4, 5], seen(2)),
    read(4, [6, 7], seen(1)),
  ],
  "a lost update": [put(1, [1, 2]), put(2, [3, 8], expecting("10")), put(3, [4, 9], expecting("10"))],
  "two winners of two creates": [put(1, [1, 10], expecting(null)), put(2, [2, 9], expecting(null))],
  "a stale version that brings a deleted key back": [
    put(1, [1, 2]),
    remove(2, [3, 4]),
    put(3, [5, 6], expecting("10")),
  ],
  "a refusal although the check holds": [put(1, [1, 2]), put(2, [3, 4], { ...expecting("10"), ...refused(seen(1)) })],
  "a refusal that reports the wrong entry": [
    put(1, [1, 2]),
    put(2, [3, 4]),
    put(3, [5, 6], { ...expecting(null), ...refused(seen(1)) }),
  ],
  "a value that no operation wrote": [read(1, [1, 2], seen(9))],
  "a write that was said not to be applied": [
    put(1, [1, 2], { outcome: { type: "not-applied" } }),
    read(2, [3, 4], seen(1)),
  ],
  "a write that was refused and yet is there": [
    put(1, [1, 2]),
    put(2, [3, 4], { ...expecting(null), ...refused(seen(1)) }),
    read(3, [5, 6], seen(2)),
  ],
  "one write at two versions": [put(1, [1, UNKNOWN]), read(2, [2, 3], seen(1, 10)), read(3, [4, 5], seen(1, 11))],
  "one version for two writes": [put(1, [1, 2]), put(2, [3, 4], { outcome: { type: "applied", version: "10" } })],
  "versions that go back": [put(2, [1, 2]), put(1, [3, 4])],
  "two writes at once of which the one with the lower version stays": [
    put(1, [1, 10]),
    put(2, [2, 9]),
    read(3, [11, 12], seen(1)),
  ],
  "half of a commit": [
    put(1, [1, 2], {
      writes: [
        { key: "a", put: true },
        { key: "b", put: true },
      ],
    }),
    put(2, [3, 20], {
      writes: [
        { key: "a", put: true },
        { key: "b", put: true },
      ],
    }),
    { id: 3, client: 3, kind: "read", keys: ["a", "b"], seen: [seen(2), seen(1)], invoked: 4, returned: 5 },
  ],
  "a write skew": [
    put(1, [1, 10], { checks: [{ key: "b", version: null }], writes: [{ key: "a", put: true }] }),
    put(2, [2, 9], { checks: [{ key: "a", version: null }], writes: [{ key: "b", put: true }] }),
  ],
  "a write without an answer that comes and goes": [
    put(1, [1, UNKNOWN]),
    read(2, [2, 3], seen(1)),
    read(3, [4, 5], undefined),
  ],
};

describe("the checker of histories", () => {
  for (const [name, history] of Object.entries(RIGHT)) {
    it(`the checker of histories finds no violation: ${name}`, () => {
      expect(findViolation(history)).toBeUndefined();
    });
  }
  for (const [name, history] of Object.entries(WRONG)) {
    it(`the checker of histories finds a violation: ${name}`, () => {
      expect(findViolation(history)).toBeDefined();
    });
  }

  it("the checker of histories decides a long history of many clients at once, and tries few states for it", () => {
    const history: Operation[] = [];
    const rounds = 50;
    for (let round = 0; round < rounds; round++) {
      const time = round * 100;
      const ids = [1, 2, 3, 4].map((client) => round * 4 + client);
      // All overlap. The last version is sent first, so the order in which they were sent is a wrong one.
      for (const id of ids.toReversed()) history.push(put(id, [time + 50 - (id % 4), time + 60]));
      for (const id of ids) {
        const before = round === 0 ? undefined : seen(round * 4);
        history.push(read(1_000 + 2 * id, [time + 40 + (id % 4), time + 70], before));
        history.push(read(1_001 + 2 * id, [time + 61, time + 80], seen(round * 4 + 4)));
      }
    }
    const tried = vi.spyOn(Set.prototype, "add");
    expect(findViolation(history)).toBeUndefined();
    // A search that guesses, or forgets its failed attempts, would take as many steps as there are orders.
    expect(tried.mock.calls.length).toBeLessThan(10 * history.length);
    tried.mockRestore();

    const last = put(9_000, [9_000, 9_001]);
    const wrong = [...history, last, read(9_001, [9_002, 9_003], seen(rounds * 4))];
    expect(findViolation(wrong)).toBeDefined();
  });
});

describe("shrinking a history", () => {
  const noise = Array.from({ length: 30 }, (_, i) => [
    put(100 + 2 * i, [100 + 10 * i, 104 + 10 * i]),
    read(101 + 2 * i, [105 + 10 * i, 106 + 10 * i], seen(100 + 2 * i)),
  ]).flat();
  const wrong = [
    put(900, [900, 901]),
    put(901, [902, 920]),
    read(902, [903, 904], seen(901)),
    read(903, [905, 906], seen(900)),
  ];

  it("shrinking a history leaves only the operations that show the violation", () => {
    const smallest = shrink([...noise, ...wrong, put(990, [990, 991])]);
    expect(findViolation(smallest)).toBeDefined();
    expect(smallest.map(({ id }) => id)).toEqual([900, 901, 902, 903]);
  });

  it("shrinking a history leaves out the deletes of keys that no operation found absent", () => {
    const deletes = [
      remove(890, [890, 891]),
      remove(891, [892, 893], { ...expecting(null), outcome: { type: "applied", version: "8910" } }),
    ];
    expect(shrink([...deletes, ...wrong]).map(({ id }) => id)).toEqual([900, 901, 902, 903]);
    const missed = [put(1, [1, 2]), remove(2, [3, 4]), read(3, [5, 6], seen(1))];
    expect(shrink([remove(4, [0.1, 0.2]), ...missed]).map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it.each<[string, Operation]>([
    ["read", read(2, [3, 20], undefined)],
    ["create", put(2, [3, 20], expecting(null))],
    ["refused commit", put(2, [3, 20], { ...expecting("10"), ...refused(undefined) })],
  ])("shrinking a history keeps a delete whose key was found absent by a %s", (_, absent) => {
    // Without the delete, the other operation looks wrong, and would be shown in the place of the last read.
    const history = [put(1, [1, 2]), absent, remove(3, [4, 5]), read(4, [21, 22], seen(1))];
    expect(shrink(history).map(({ id }) => id)).toEqual([1, 3, 4]);
  });

  it("the error for a violation prints the shrunken history as a timeline", () => {
    const check = (): void => assertLinearizable([...noise, ...wrong]);
    expect(check).toThrow(NotLinearizable);
    expect(check).toThrow(/4 of 64 operations are enough to show it/);
    expect(check).toThrow(/client 903 {2}#903 .*\|-*\| {2,}read k is what #900 put at 9000/);
  });
});
