import { expect, test } from "vitest";
import { World } from "../../testing/world.js";
import { isRecord } from "./read.js";
import { recordKey } from "./record.js";

test("a record with a field that cannot be shown is not a record, whichever field it is", async () => {
  const { manager } = await new World().manager();
  const options = { args: { month: 3 }, meta: { team: "a" }, timeout: 1_000 };
  const { record } = await manager.run("a", () => {}, options);
  const key = recordKey("a", record.startTime);
  expect(isRecord({ key, value: record })).toBe(true);
  const taken = Object.keys(record).filter((field) => isRecord({ key, value: { ...record, [field]: null } }));
  expect(taken).toEqual([]);
  for (const exit of [{}, { code: 0 }, { signal: "SIGKILL" }, { code: 1, later: "field" }])
    expect([exit, isRecord({ key, value: { ...record, exit } })]).toEqual([exit, true]);
  for (const exit of [1, "SIGKILL", { code: "1" }, { code: 0.5 }, { signal: 9 }])
    expect([exit, isRecord({ key, value: { ...record, exit } })]).toEqual([exit, false]);
  for (const versions of [{}, { ojm: "1" }, { ojm: 1, node: "20" }, "1"])
    expect([versions, isRecord({ key, value: { ...record, versions } })]).toEqual([versions, false]);
});

test("a record with an unknown field, status or backoff is a record, if these can be shown", async () => {
  const { manager } = await new World().manager();
  const { record } = await manager.run("a", () => {}, { retry: { attempts: 2 } });
  const is = (more: object): boolean =>
    isRecord({ key: recordKey("a", record.startTime), value: { ...record, ...more } });
  const { retry } = record;
  expect(
    [{ later: 1 }, { status: "draining" }, { retry: { ...retry, backoff: "jittered", later: 1 } }].map(is),
  ).toEqual([true, true, true]);
  for (const status of ["", 5, "a\nb", "x".repeat(300)]) expect([status, is({ status })]).toEqual([status, false]);
  for (const backoff of ["", 5, null]) expect(is({ retry: { ...retry, backoff } })).toBe(false);
});
