import { systemClock } from "@ojm/core";
import { expect, test, vi } from "vitest";
import { Shared } from "./shared.js";

test("a channel that cannot be closed keeps neither the others nor the job manager open", async () => {
  const shared = new Shared(async () => {}, systemClock);
  for (const name of ["a", "b"]) await shared.channels.call(name, "create", ["simple", {}]);
  const [one, two] = [await shared.channels.channel("a"), await shared.channels.channel("b")];
  const manager = await shared.managers.init({});
  const close = one.close.bind(one);
  const failing = vi.spyOn(one, "close").mockRejectedValue(new Error("the disk is full"));
  const closed = [vi.spyOn(two, "close"), vi.spyOn(manager, "close")];
  await expect(shared.close()).rejects.toThrow("the disk is full");
  expect(closed.map((spy) => spy.mock.calls.length)).toEqual([1, 1]);
  failing.mockRestore();
  await close();
});
