import { openChannel } from "@ojm/core";
import { expect, test } from "vitest";
import { outboxKey, type Stored } from "../check/state.js";
import { checkedRule } from "../rules/checked-rule.js";
import type { Alert } from "../types.js";
import { deliver } from "./deliver.js";

test("one delivery ends after a minute, and the next one continues with the alert behind", async () => {
  const rule = checkedRule({ on: ["failed"], to: { webhook: "https://example.org" } });
  await using channel = await openChannel<Stored>("alerts");
  for (let seq = 1; seq <= 4; seq++)
    await channel.set(outboxKey(rule.id, seq), {
      alert: { id: `${seq}`, name: "a" } as Alert,
      since: 0,
      tries: 0,
      due: 0,
    });
  let time = 1;
  const sent: string[] = [];
  const delivery = {
    channel,
    fenced: (ops: Parameters<typeof channel.commit>[0]) => channel.commit(ops),
    send: async (_: unknown, { id }: Alert) => {
      sent.push(id);
      time += 40_000;
      return { type: "taken" } as const;
    },
    signal: new AbortController().signal,
    logTail: async () => "",
    now: () => time,
  };
  expect(await deliver(rule, delivery)).toEqual({ count: 2, next: time });
  expect(await deliver(rule, delivery)).toEqual({ count: 2 });
  expect(sent).toEqual(["1", "2", "3", "4"]);
});
