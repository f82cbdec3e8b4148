import { openJobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { backend } from "@ojm/simple";
import { describe, expect, test } from "vitest";
import { knownNames, listed, refuseTypo } from "./known-names.js";

test("a job is known however many runs of others came after its own", async () => {
  const store = { backend: await backend.open({}, { clock: systemClock }) };
  await using manager = await openJobManager({ chJobs: store, chLocks: store });
  await manager.run("backup", () => {});
  for (let i = 0; i < 1_010; i++) await manager.run("poll", () => {});
  expect(await knownNames(manager)).toEqual(new Set(["backup", "poll"]));
  await expect(refuseTypo(manager, "bakcup")).rejects.toThrow('Did you mean "backup"?');
});

describe("the names that an error lists", () => {
  test("few short names are listed whole, in order", () => {
    expect(listed(new Set(["b", "a"]))).toBe("a, b");
  });

  test("of many names, the first are listed, and how many more there are", () => {
    const names = new Set(Array.from({ length: 57 }, (_, i) => `job-${String(i).padStart(2, "0")}`));
    expect(listed(names)).toMatch(/^job-00, job-01, .*, job-19 and 37 more$/);
  });

  test("a name of thousands of characters is cut, and several of them do not fill a screen", () => {
    const names = new Set(Array.from({ length: 9 }, (_, i) => `${i}${"\u{1F600}".repeat(5_000)}`));
    const text = listed(names);
    expect(text).toMatch(/^0(\u{1F600}){58}…, 1/u);
    expect(text.length).toBeLessThan(1_000);
    expect(text).toMatch(/ and \d more$/);
  });

  test("a line break in a name is shown as an escape", () => {
    expect(listed(new Set(["two\nlines"]))).toBe("two\\nlines");
  });
});
