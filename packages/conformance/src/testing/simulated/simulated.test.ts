import { describe, it } from "vitest";
import { seed } from "../../../../../test/conformance/seed.js";
import { register } from "../../run/register.js";
import { simulated } from "./harness.js";

// The store in which the bugs are planted must itself be correct, or the bugs prove nothing.
register({ describe, it }, simulated("simulated"), { profile: "smoke", seed });
