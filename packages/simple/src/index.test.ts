import { isChannelError, openChannel } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { describe, expect, test } from "vitest";
import { backend } from "./index.js";

describe("the in-memory backend", () => {
  test("the in-memory backend declares what it supports, and the declaration is frozen", async () => {
    const store = await backend.open({}, { clock: systemClock });
    expect(Object.isFrozen(store.supports)).toBe(true);
    expect(store.supports).toMatchObject({ shared: "process", durability: "none", ttl: true, watch: true });
    await store.close();
  });

  test("channels in memory see the same entries if they have the same name, and only then", async () => {
    const one = await openChannel("simple test", { type: "simple" });
    const two = await openChannel("simple test", { backend });
    const other = await openChannel("simple test 2", { backend });
    await one.set("a", 1);
    expect(await two.get("a")).toBe(1);
    expect(await other.get("a")).toBeUndefined();
    await Promise.all([one.close(), other.close()]);
    expect(await two.get("a")).toBe(1);
    await two.destroy();
    const again = await openChannel("simple test", { backend });
    expect(await again.size()).toBe(0);
    await again.close();
  });

  test("channels in memory with different clocks share no entries", async () => {
    const clock = { ...systemClock };
    const one = await openChannel("simple test", { backend, clock });
    await one.set("a", 1);
    const two = await openChannel("simple test", { backend });
    expect(await two.get("a")).toBeUndefined();
    await one.close();
    await two.close();
  });

  test("the in-memory backend refuses options", async () => {
    const error: unknown = await backend.open({ file: "x" }, { clock: systemClock }).catch((thrown: unknown) => thrown);
    expect(isChannelError(error) && error.code).toBe("INVALID_CONFIG");
  });

  test("the in-memory backend ends its watches when it is closed", async () => {
    const store = await backend.open({}, { clock: systemClock });
    const other = await backend.open({}, { clock: systemClock });
    let told = 0;
    const sink = { change: () => void told++, gap: () => {}, fail: () => {} };
    await store.watch({ from: "simple", to: "simplf" }, sink);
    await other.commit({ checks: [], writes: [{ key: "simple a ", value: "1" }] });
    await store.close();
    await other.commit({ checks: [], writes: [{ key: "simple a ", value: null }] });
    expect(told).toBe(1);
    await other.close();
  });
});
