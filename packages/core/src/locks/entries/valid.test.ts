import { expect, test } from "vitest";
import { processIdentity } from "../../util/process-state.js";
import { isLock, isQueue, isSession, isTurnNotice } from "./valid.js";

const holder = { host: "here", pid: 1, instance: "1-abc" };
const ticket = { session: "1-abc", token: "t-1" };

/** For each kind: its check, an entry that passes, and changes of it that must fail. */
const kinds: [string, (value: unknown) => boolean, object, object[]][] = [
  [
    "lock",
    (value) => isLock(value, "a"),
    { name: "a", holder, token: "t-1", since: 5, timeout: 1, until: 7.5, note: [null] },
    [
      { name: "b" },
      { holder: null },
      { holder: { ...holder, host: 5 } },
      { holder: { ...holder, pid: -1 } },
      { holder: { ...holder, instance: "" } },
      { holder: { ...holder, instance: "x".repeat(300) } },
      { token: 1 },
      { since: "x" },
      { since: 1e300 },
      { timeout: -1 },
      { until: null },
    ],
  ],
  ["queue", isQueue, { waiting: [ticket] }, [{ waiting: {} }, { waiting: null }]],
  ["call", isTurnNotice, { name: "a", ...ticket }, [{ name: 1 }, { session: {} }, { token: undefined }]],
  [
    "session",
    (value) => isSession(value, "1-abc"),
    { id: "1-abc", process: processIdentity(), since: 5, beat: 0, by: "thread" },
    [
      { id: "2-abc" },
      { process: null },
      { process: { ...processIdentity(), pid: "1" } },
      { process: { ...processIdentity(), boot: undefined } },
      { since: "now" },
      { beat: 0.5 },
      { by: "me" },
    ],
  ],
];

test.each(kinds)(
  "a %s entry is valid as written, even with fields of a later version, and invalid with a wrong field",
  (_, is, entry, wrong) => {
    expect(is(entry)).toBe(true);
    expect(is({ ...entry, later: [1] })).toBe(true);
    for (const change of wrong) expect([change, is({ ...entry, ...change })]).toEqual([change, false]);
    for (const value of [null, undefined, 5, "text", true, [], {}, [entry]]) expect(is(value)).toBe(false);
  },
);
