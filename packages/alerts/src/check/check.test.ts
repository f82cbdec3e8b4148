import { openScheduler } from "@ojm/schedule";
import { describe, expect, test } from "vitest";
import { World } from "../../../core/src/testing/world.js";
import { checkedRule } from "../rules/checked-rule.js";
import { FakeReceiver } from "../testing/receiver.js";
import { type Context, check } from "./check.js";
import { alertDamage, CHANNEL, freshState, type RuleState, ruleKey, type Stored } from "./state.js";

const HOUR = 3_600_000;

test("missed ticks are reported by the next check if another process writes the state of the rule at the same time", async () => {
  const world = new World();
  const { clock } = world;
  const [one, two] = [await world.manager(), await world.manager()];
  const rule = checkedRule({ on: ["missed"], to: { webhook: "https://example.org" } });
  const receiver = new FakeReceiver();
  const channel = await one.manager.channel<Stored>(CHANNEL);
  const context: Context = {
    ...{ manager: one.manager, channel, rules: [rule], send: receiver.send, judged: new Map() },
    ...{ signal: new AbortController().signal, now: () => clock.now() },
  };
  await clock.until(check(context));
  // No scheduler is there for four ticks. The next one decides that they were missed.
  for (let i = 0; i < 2; i++) {
    const scheduler = openScheduler(two.manager, { clock });
    await clock.until(scheduler.add("nightly", { every: HOUR, missed: "none" }, () => {}));
    await clock.until(scheduler.close());
    if (i === 0) await clock.advance(4 * HOUR + 60_000);
  }
  one.way.once("outbox", { type: "slow", ms: 1_000 });
  const checking = check(context);
  await clock.advance(500);
  const state = (await channel.get(ruleKey(rule.id))) as RuleState;
  const other = await two.manager.channel<Stored>(CHANNEL);
  await other.set(ruleKey(rule.id), state);
  await clock.until(checking);
  expect(receiver.reported).toEqual([]);
  await clock.until(check(context));
  expect(receiver.reported).toEqual(["missed nightly"]);
});

/* A check that fails at a damaged state would fail every time, and no alert of any rule would be sent. */
describe("a rule whose state is damaged", () => {
  const window = { from: 0, newest: 0 };

  test.each<[string, object]>([
    ["an end without its id", { ends: { ...window, seen: [[5]] } }],
    ["a start that is not a pair", { starts: { ...window, seen: [null] } }],
    ["an open run that is not a pair", { open: [null] }],
    ["a run that waits, without its start", { held: [["import"]] }],
    ["a long run that is not an id", { long: [{}] }],
    ["a job that is down since an unknown run", { down: { import: null } }],
    ["a tick without its hash", { ticks: { from: 0, behind: {}, reported: [[5]] } }],
    ["a time that no calendar has", { ends: { from: 0, newest: 9e15, seen: [] } }],
    ["a time that is not a number", { ticks: { from: 0, behind: { nightly: "x" }, reported: [] } }],
  ])("begins again with %s", async (_, part) => {
    const world = new World();
    const { clock } = world;
    const { manager } = await world.manager();
    const rule = checkedRule({
      on: ["started", "completed", "failed", "missed"],
      to: { webhook: "https://example.org" },
    });
    const channel = await manager.channel<Stored>(CHANNEL);
    const key = ruleKey(rule.id);
    const damaged = { ...freshState(clock.now()), ...part } as RuleState;
    await channel.set(key, damaged);
    const context: Context = {
      ...{ manager, channel, rules: [rule], send: new FakeReceiver().send, judged: new Map() },
      ...{ signal: new AbortController().signal, now: () => clock.now() },
    };
    await clock.until(check(context));
    expect(alertDamage.isDamaged({ key, value: damaged as never })).toBe(true);
    expect(await channel.get(key)).toMatchObject(freshState(clock.now()));
  });
});
