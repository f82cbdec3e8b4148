import { openScheduler } from "@ojm/schedule";
import { expect, test } from "vitest";
import { World } from "../../../core/src/testing/world.js";
import { checkedRule } from "../rules/checked-rule.js";
import { FakeReceiver } from "../testing/receiver.js";
import { type Context, check } from "./check.js";
import { CHANNEL, type RuleState, ruleKey, type Stored } from "./state.js";

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
