import fc from "fast-check";
import type { Case } from "../../case/case.js";
import { property } from "../../support/property.js";
import { apply, ChannelModel, type Step } from "./model.js";

const KEYS = ["a", "b", "b'", "c"];

const step: fc.Arbitrary<Step> = fc.record({
  verb: fc.constantFrom(
    "set",
    "set",
    "unset",
    "get",
    "create",
    "replace",
    "stale",
    "getSet",
    "commit",
    "size",
    "shift",
    "pop",
  ),
  by: fc.nat(2),
  key: fc.constantFrom(...KEYS),
  value: fc.nat(3),
});

/** Random programs of verbs. */
export const properties: readonly Case[] = [
  {
    id: "VRB-020",
    law: "After any program of verbs, a channel holds what a map would hold, and each step returns what it did.",
    scales: true,
    async run(t) {
      const backend = await t.main();
      await property(t, [fc.array(step, { maxLength: 25 })], t.scale(10, 60, 600), async (steps) => {
        const channel = await t.channel({ by: backend, name: t.freshName() });
        const model = new ChannelModel();
        for (const it of steps) await apply(it, channel, model);
        await model.check(channel);
      });
    },
  },
  {
    id: "VRB-021",
    law: "Clients that take turns are like one client.",
    scales: true,
    async run(t) {
      const clients = await t.clients(3);
      await property(t, [fc.array(step, { maxLength: 25 })], t.scale(10, 60, 600), async (steps) => {
        const name = t.freshName();
        const channels = await Promise.all(clients.map((by) => t.channel({ by, name })));
        const model = new ChannelModel();
        for (const it of steps) {
          const channel = channels[it.by];
          if (channel !== undefined) await apply(it, channel, model);
        }
        for (const channel of channels) await model.check(channel);
      });
    },
  },
];
