import { systemClock } from "@ojm/core/backend";
import { expect, test, vi } from "vitest";
import { Runtime } from "./runtime.js";

test("a channel that cannot be closed keeps neither other channels nor the job manager open", async () => {
  const runtime = new Runtime(async () => {}, systemClock);
  for (const name of ["a", "b"]) await runtime.channels.call(name, "create", ["simple", {}]);
  const [one, two] = [await runtime.channels.channel("a"), await runtime.channels.channel("b")];
  const manager = await runtime.managers.init({});
  const close = one.close.bind(one);
  const failing = vi.spyOn(one, "close").mockRejectedValue(new Error("the disk is full"));
  const closed = [vi.spyOn(two, "close"), vi.spyOn(manager, "close")];
  await expect(runtime.close()).rejects.toThrow("the disk is full");
  expect(closed.map((spy) => spy.mock.calls.length)).toEqual([1, 1]);
  failing.mockRestore();
  await close();
});
