import { describe, it } from "vitest";
import { seed } from "../../../test/conformance/seed.js";
import { simple, simpleInManualTime } from "./harness/simple.js";
import { type Runner, register } from "./run/register.js";

// With few repetitions, test/conformance does it.
const runner: Runner = {
  describe,
  it: (title, body, timeout) => it(title, { ...(timeout !== undefined && { timeout }), tags: ["full"] }, body),
};
register(runner, simple, { profile: "full", seed });
register({ describe, it }, simpleInManualTime, { profile: "smoke", seed });
