import { describe, it } from "vitest";
import { seed } from "../../../../../test/conformance/seed.js";
import { register } from "../../run/register.js";
import { simulated } from "./harness.js";

// The store that the planted bugs are made of must itself be right, or they prove nothing.
register({ describe, it }, simulated("simulated"), { profile: "smoke", seed });
