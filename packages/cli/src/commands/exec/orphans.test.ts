import type { HeldLock } from "@ojm/core";
import { expect, test } from "vitest";
import { runsWithLock } from "./orphans.js";

test.each([1e300, -8.64e15 - 1, "x", null])(
  "a lock whose note names a run that began at %s is a lock without a run",
  (run) => {
    const lock = { name: "a", note: { run } } as unknown as HeldLock;
    expect([...runsWithLock([lock])]).toEqual([]);
  },
);
