import { type Harness, type Profile, type Runner, register } from "@ojm/conformance";
import { afterAll, describe, it } from "vitest";
import { seed } from "./seed.js";

/**
 * What `npm test` runs of the suite on a variant of a store whose single server runs it whole: the cases that
 * a different topology breaks first. `npm run test:all` runs the rest.
 */
const OF_A_VARIANT: ReadonlySet<string> = new Set(
  "SUP-001 VRB-002 VRB-003 KEY-009 VAL-001 SCN-001 SCN-020 CAS-001 CAS-003 CAS-006 CAS-014 CAS-021 CAS-030 TTL-001 TTL-020 WCH-003 WCH-007 LIF-001 ERR-001 LCK-001".split(
    " ",
  ),
);

/**
 * What `npm test` leaves out on a server: what core encodes before any store sees it, and crowds of processes.
 * The stores in a file have these cases in `npm test`.
 */
const NOT_ON_A_SERVER = /^(KEY|VAL|VRB)-|^(LIF-02[1-4]|LIN-008) /;

/**
 * Makes each case of the suite a test; or says why this machine cannot run it. `npm test` has the laws in few
 * repetitions, and `npm run test:all` has all repetitions.
 */
export function conformance(harness: Harness, missing?: string, scope: "whole" | "server" | "variant" = "whole"): void {
  if (missing !== undefined) {
    it.skip(`conformance on ${harness.name}: ${missing}`, () => {});
    return;
  }
  // The suite does so by its last test, which only one of the two commands runs.
  afterAll(() => harness.close?.());
  const isLeftOut = (title: string, profile: Profile): boolean => {
    const [id] = /^[A-Z]{3}-\d{3}/.exec(title) ?? [];
    if (id === undefined || OF_A_VARIANT.has(id)) return profile === "full" && scope !== "variant";
    return profile === "full" || scope === "variant" || (scope === "server" && NOT_ON_A_SERVER.test(title));
  };
  for (const profile of scope === "variant" ? (["full"] as const) : (["smoke", "full"] as const)) {
    const runner: Runner = {
      describe,
      it: (title, body, timeout) =>
        it(title, { ...(timeout !== undefined && { timeout }), tags: isLeftOut(title, profile) ? ["full"] : [] }, body),
    };
    register(runner, harness, { profile, seed });
  }
}
