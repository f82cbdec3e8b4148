import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, onTestFinished, test, vi } from "vitest";
import { ChannelError } from "../errors.js";
import { GoneStore } from "./store.js";

test("a store that is gone for 10 s is reported, one that was put back before is not, nor one that is away", () => {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const told: unknown[] = [];
  const listen = (event: unknown): void => void told.push(event);
  subscribe("ojm:store:gone", listen);
  onTestFinished(() => void unsubscribe("ojm:store:gone", listen));
  const gone = new ChannelError("GONE", "the file was deleted");
  const away = new ChannelError("UNAVAILABLE", "no answer");
  const store = new GoneStore();
  const fails = (at: number, error: unknown): number => {
    now = at;
    store.failed(error);
    return told.length;
  };
  expect([fails(0, gone), fails(9_999, gone)]).toEqual([0, 0]);
  store.answered();
  expect([fails(10_000, gone), fails(19_999, away), fails(19_999, gone)]).toEqual([0, 0, 0]);
  expect(fails(20_000, gone)).toBe(1);
  expect(told).toEqual([{ error: gone }]);
});
