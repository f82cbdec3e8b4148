import { expect, it, onTestFinished } from "vitest";
import type { Nodes } from "../calls/nodes.js";
import { Codec } from "../layout.js";
import { Expiry } from "./expiry.js";

/**
 * Judges an entry of an hour whose lease has `TTL` seconds left, as the store says. A test cannot make a
 * store say -1, but a new leader says it.
 */
async function leftOf(TTL: string): Promise<number | undefined> {
  const nodes = { call: async () => ({ TTL }) } as unknown as Nodes;
  const expiry = new Expiry(nodes, new Codec("ojm/"));
  onTestFinished(() => expiry.close());
  const entry = { key: "c a", value: "1", version: "7", lease: "42", ttl: 3_600_000 };
  return (await expiry.judge([entry]))?.[0]?.expiresIn;
}

it("the remaining time of an entry is bounded by the seconds of its lease, which are rounded down", async () => {
  expect(await leftOf("100")).toBeLessThanOrEqual(101_000);
  expect(await leftOf("100")).toBeGreaterThan(100_000);
  expect(await leftOf("0")).toBeGreaterThan(0);
});

it("an entry does not end because the store does not know its lease: a leader may yet apply the grant", async () => {
  expect(await leftOf("-1")).toBeGreaterThan(3_500_000);
});
