import { describe, expect, test } from "vitest";
import { runText } from "../../testing/run-file.js";

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
