import { type Case, groups, type Harness, type Profile, type Runner, register } from "@ojm/conformance";
import { afterAll, describe, it } from "vitest";
import { seed } from "./seed.js";

/**
 * The cases that `npm test` runs on a variant of a store whose single server runs the whole suite: those that
 * a different topology breaks first.
 */
const OF_A_VARIANT: ReadonlySet<string> = new Set(
  "SUP-001 VRB-002 VRB-003 KEY-009 VAL-001 SCN-001 SCN-020 CAS-001 CAS-003 CAS-006 CAS-014 CAS-021 CAS-030 TTL-001 TTL-020 WCH-003 WCH-007 LIF-001 ERR-001 LCK-001".split(
    " ",
  ),
);

/**
 * The cases that `npm test` leaves out on a server: what core encodes before any store sees it, and many
 * processes. The stores in a file have these cases in `npm test`.
 */
const NOT_ON_A_SERVER = /^(KEY|VAL|VRB)-|^(LIF-02[1-4]|LIN-008)$/;

/**
 * Makes each case of the suite a test, or reports why this machine cannot run it. `npm test` runs its cases
 * with few repetitions. `npm run test:all` runs those that it leaves out, and with all repetitions those that
 * have more of them.
 */
export function conformance(harness: Harness, missing?: string, scope: "whole" | "server" | "variant" = "whole"): void {
  if (missing !== undefined) {
    it.skip(`conformance on ${harness.name}: ${missing}`, () => {});
    return;
  }
  // The suite does so by its last test, which only one of the two commands runs.
  afterAll(() => harness.close?.());
  const isFirst = ({ id, profile }: Case): boolean =>
    profile === undefined &&
    (scope === "whole" || OF_A_VARIANT.has(id) || (scope === "server" && !NOT_ON_A_SERVER.test(id)));
  const parts: readonly (readonly [Profile, (one: Case) => boolean, tags: string[]])[] = [
    ["smoke", isFirst, []],
    ["full", (one) => !isFirst(one) || one.scales === true, ["full"]],
  ];
  for (const [profile, isIn, tags] of parts) {
    const runner: Runner = {
      describe,
      it: (title, body, timeout) => it(title, { ...(timeout !== undefined && { timeout }), tags }, body),
    };
    const cases = groups.flatMap(({ cases }) => cases).filter(isIn);
    register(runner, harness, { profile, seed, only: cases.map(({ id }) => id) });
  }
}
