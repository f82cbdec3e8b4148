import { type Channel, openChannel } from "@ojm/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { runText } from "../../testing/run-file.js";
import { Subscriptions } from "./subscriptions.js";

/**
 * A todo that makes a channel with an entry, follows it, and then runs `Write` with this script. Other tests
 * of this process may have left entries in the channel.
 */
function following(
  code: string,
  sub = "log([args.ch, args.op, JSON.stringify(args.k), args.v, args.mine].join(' '))",
): string {
  return `jobs:
  - { name: Make, exec: "$ch('c').create(); $ch('c').getKeys().forEach(k => $ch('c').unset(k)); $ch('c').set('old', 0)" }
  - name: Follow
    type: subscribe
    typeArgs: { chSubscribe: c, noLog: true }
    exec: |
      ${sub}
  - name: Write
    exec: |
      ${code}
todo: [Make, { name: Follow, args: { mine: x } }, Write]
`;
}

describe("a job of type subscribe", () => {
  test("a job of type subscribe runs for every entry, then once for every later change, and none is lost", async () => {
    const yaml = following("$ch('c').set({ a: 1 }, 7); $ch('c').set('b', 8); $ch('c').unset('b');");
    const { well, lines } = await runText(`ojob: { numThreads: 1 }\n${yaml}`);
    const changes = ['c set {"a":1} 7 x', 'c set "b" 8 x', 'c unset "b"  x'];
    expect([well, lines]).toEqual([true, ['c set "old" 0 x', ...changes]]);
  });

  test("a job of type subscribe runs for later changes only, with onlyFromNow", async () => {
    const yaml = following("$ch('c').set('b', 8)").replace("chSubscribe: c,", "chSubscribe: c, onlyFromNow: true,");
    expect((await runText(yaml)).lines).toEqual(['c set "b" 8 x']);
  });

  test("a job of type subscribe runs for all entries before the file ends, though nothing else is left to do", async () => {
    const yaml = `jobs:
  - name: Make
    exec: |
      $ch('many').create(); $ch('many').setAll(['id'], Array.from({ length: 12 }, (_, id) => ({ id, n: id * 2 })))
  - { name: Follow, type: subscribe, typeArgs: { chSubscribe: many, noLog: true }, exec: log(args.k.id + ' ' + args.v.n) }
todo: [Make, Follow]
`;
    expect((await runText(yaml)).lines).toEqual(Array.from({ length: 12 }, (_, id) => `${id} ${id * 2}`));
  });

  test("a job of type subscribe may change its channel itself", async () => {
    const yaml = following("$ch('c').set('n', 3)", "log(args.v); if (args.v > 0) $ch('c').set('n', args.v - 1)");
    expect((await runText(yaml)).lines).toEqual(["0", "3", "2", "1", "0"]);
  });

  test("a job of type subscribe runs for one change at a time, in order, however many slots there are", async () => {
    const yaml = following(
      "for (var i = 0; i < 6; i++) $ch('c').set('k', i)",
      "log('>' + args.v); sleep(6 - args.v); log('<' + args.v)",
    );
    const { lines } = await runText(`ojob: { numThreads: 8 }\n${yaml}`);
    expect(lines).toEqual([0, 0, 1, 2, 3, 4, 5].flatMap((i) => [`>${i}`, `<${i}`]));
  });

  test("a job of type subscribe that is too slow for a flood gets the last state of each key, with a warning", async () => {
    const yaml = following(
      "for (var i = 0; i < 2500; i++) $ch('c').setAll(['k'], [0, 1, 2, 3, 4].map(k => ({ k, i }))); $set('over', true)",
      "while (!$get('over')) sleep(5); log(args.k.k + ' ' + args.v.i)",
    );
    const { well, lines } = await runText(yaml);
    expect(well).toBe(true);
    const warning =
      /^"Follow": the job missed changes of the channel "c": .* It still runs for the last state of each key that changed\.$/;
    expect(lines.filter((line) => warning.test(line))).toHaveLength(1);
    const told = lines.filter((line) => !warning.test(line));
    expect(told.length).toBeLessThan(12_500);
    expect(new Set(told.slice(-5))).toEqual(new Set([0, 1, 2, 3, 4].map((k) => `${k} 2499`)));
  });

  test("a job of type subscribe that fails makes the run fail", async () => {
    expect((await runText(following("$ch('c').set('n', 3)", "throw 1"))).well).toBe(false);
  });

  test("a job of type subscribe fails if its channel does not exist, and says so", async () => {
    const yaml = "jobs: [{ name: F, type: subscribe, typeArgs: { chSubscribe: nope } }]\ntodo: [F]\n";
    expect((await runText(yaml)).err).toMatch(/job "F" failed: there is no channel "nope"/);
  });

  test("a job of type subscribe without chSubscribe is an error", async () => {
    await expect(runText("jobs: [{name: F, type: subscribe}]\ntodo: [F]\n")).rejects.toThrow(
      /"F" is of type subscribe: it needs "chSubscribe" in its "typeArgs"/,
    );
  });
});

const FLOOD = 100_000;

/** The changes that a watch of core holds for a slow reader, plus those that a follower reads ahead. */
const MOST = 10_000 + 10 + 1;

/** A follower whose handler blocks at its first change until `letGo`, and all changes that it delivered. */
async function heldBack(channel: Channel, options: { readonly onlyFromNow?: boolean } = {}) {
  const subscriptions = new Subscriptions();
  onTestFinished(() => subscriptions.close());
  const told: string[] = [];
  const seen = { gaps: 0, dropped: 0 };
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const handler = {
    onChange: ({ op, k, v }: { op: string; k: unknown; v?: unknown }) => {
      told.push(`${op} ${k} ${v ?? ""}`.trim());
      return held;
    },
    onGap: () => seen.gaps++,
    onDropped: (count: number) => (seen.dropped += count),
  };
  await subscriptions.follow(channel, handler, (error) => expect.unreachable(error.message), options);
  const letGoOf = async (): Promise<void> => {
    letGo();
    while (await subscriptions.catchUp());
  };
  return { told, seen, letGo: letGoOf, stop: () => subscriptions.close() };
}

async function opened(): Promise<Channel> {
  const channel = await openChannel(`flood-${Math.random()}`);
  onTestFinished(() => channel.close());
  return channel;
}

async function flood(channel: Channel, keyOf: (i: number) => string): Promise<void> {
  for (let i = 0; i < FLOOD; ) {
    const writes = Array.from({ length: 1_000 }, () => channel.set(keyOf(i), i++));
    await Promise.all(writes);
  }
  // By then the reader has read ahead as far as it can.
  await new Promise((resolve) => setImmediate(resolve));
}

describe("a follower of a channel in a flood of changes", () => {
  test("a slow follower gets changes in order up to the bound, then the last state of each key, deleted ones too", async () => {
    const channel = await opened();
    await channel.set("old", 0);
    const { told, seen, letGo } = await heldBack(channel);
    await flood(channel, (i) => `k${i % 10}`);
    await channel.unset("old");
    await channel.unset("k3");
    await letGo();
    expect(told.length).toBeLessThanOrEqual(MOST);
    expect(told[0]).toBe("set old 0");
    expect(told.slice(1, 11)).toEqual(Array.from({ length: 10 }, (_, i) => `set k${i % 10} ${i}`));
    expect(seen).toEqual({ gaps: 1, dropped: 0 });
    for (const k of [0, 1, 2, 4, 5, 6, 7, 8, 9]) {
      const last = told.findLast((one) => one.includes(` k${k}`));
      expect(last).toBe(`set k${k} ${FLOOD - 10 + k}`);
    }
    expect(told.findLast((one) => one.includes(" k3"))).toBe("unset k3");
    expect(told).toContain("unset old");
  }, 60_000);

  test("a slow follower of a flood of ever new keys loses none of them", {
    timeout: 60_000,
    tags: ["full"],
  }, async () => {
    const channel = await opened();
    const { told, seen, letGo } = await heldBack(channel);
    await flood(channel, (i) => `k${i}`);
    await letGo();
    expect(seen.gaps).toBe(1);
    expect(new Set(told).size).toBe(FLOOD);
  });

  test("changes that are left when a follower is closed are dropped, and counted", async () => {
    const channel = await opened();
    const { told, seen, letGo, stop } = await heldBack(channel);
    await flood(channel, (i) => `k${i % 10}`);
    stop();
    await letGo();
    expect(told).toEqual(["set k0 0"]);
    expect(seen.dropped).toBe(10);
  }, 60_000);
});

describe("the entries that a channel has when it is first followed", () => {
  const ENTRIES = 10_000;
  const LAST = 1_000_000;
  const NEW = 2_000_000;

  async function filled(count: number): Promise<Channel> {
    const channel = await opened();
    for (let i = 0; i < count; i++) void channel.set(i, `v${i}`);
    await channel.set(LAST, "v");
    return channel;
  }

  const entries = (count: number): string[] => [
    ...Array.from({ length: count }, (_, i) => `set ${i} v${i}`),
    `set ${LAST} v`,
  ];

  test("each of 10,000 entries is delivered once, in the order of the keys, one at a time and before later changes", async () => {
    const channel = await filled(ENTRIES);
    const { told, seen, letGo } = await heldBack(channel);
    await channel.set(NEW, 1);
    await channel.set(LAST, 2);
    expect(told).toHaveLength(1);
    await letGo();
    // The last page was read after the change: the newest value is delivered once.
    const later = told.slice(ENTRIES);
    expect(told.slice(0, ENTRIES)).toEqual(entries(ENTRIES).slice(0, ENTRIES));
    expect(later).toEqual([`set ${LAST} 2`, `set ${NEW} 1`]);
    expect(seen).toEqual({ gaps: 0, dropped: 0 });
  }, 60_000);

  test("after a gap, entries that exist are delivered a second time only if they changed", async () => {
    const channel = await filled(3);
    const { told, seen, letGo } = await heldBack(channel);
    await flood(channel, () => "flood");
    await channel.set(1, "changed");
    await letGo();
    expect(seen.gaps).toBe(1);
    expect(told.filter((one) => !one.includes("flood"))).toEqual([...entries(3), "set 1 changed"]);
  }, 60_000);

  test("a follower that is stopped while it reads the entries settles the waits for them", async () => {
    const channel = await filled(ENTRIES);
    const { told, letGo, stop } = await heldBack(channel);
    stop();
    await letGo();
    expect(told).toEqual(["set 0 v0"]);
  });

  test("with onlyFromNow only later changes are delivered, and a delete of an entry that existed", async () => {
    const channel = await filled(3);
    const { told, letGo } = await heldBack(channel, { onlyFromNow: true });
    await channel.set("new", 1);
    await channel.unset(1);
    await letGo();
    expect(told).toEqual(["set new 1", "unset 1"]);
  });
});
