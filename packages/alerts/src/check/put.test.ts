import { openChannel } from "@ojm/core";
import { expect, test } from "vitest";
import { checkedRule } from "../rules/checked-rule.js";
import type { Alert } from "../types.js";
import { MOST_PENDING } from "./find.js";
import { put } from "./put.js";
import { entryUnder, freshState, outboxKey, outboxOf, type Pending, ruleKey, type Stored } from "./state.js";

const alert = (id: number, more: Partial<Alert> = {}): Alert => ({ id: `${id}`, name: "a", ...more }) as Alert;

test("new alerts push the oldest out of an outbox that is full, and the first of them says how many", async () => {
  const rule = checkedRule({ on: ["failed"], to: { webhook: "https://example.org" } });
  await using channel = await openChannel<Stored>("alerts");
  const state = { ...freshState(0), seq: MOST_PENDING + 1 };
  await channel.set(ruleKey(rule.id), state);
  const { version = "" } = (await entryUnder(channel, ruleKey(rule.id))) ?? {};
  const waiting = (id: number): Pending => ({
    // The oldest alert that makes room is the first one after others that were dropped.
    alert: alert(id, id === 2 ? { dropped: 7 } : {}),
    ...{ since: 0, tries: 0, due: 0 },
  });
  for (let seq = 1; seq <= MOST_PENDING; seq++) await channel.set(outboxKey(rule.id, seq), waiting(seq));
  const alerts = [MOST_PENDING + 1, MOST_PENDING + 2, MOST_PENDING + 3].map((id) => alert(id));
  const findings = { rule, before: { state, version }, state, alerts, changed: true, judged: new Map() };
  expect(await put(channel, (ops) => channel.commit(ops), findings, 0)).toBe(true);
  const left: Alert[] = [];
  for await (const { value } of channel.entries({ prefix: outboxOf(rule.id) })) left.push((value as Pending).alert);
  expect(left).toHaveLength(MOST_PENDING);
  expect([left[0], ...left.slice(-3)]).toEqual([
    alert(4),
    alert(MOST_PENDING + 1, { dropped: 10 }),
    ...alerts.slice(1),
  ]);
});
