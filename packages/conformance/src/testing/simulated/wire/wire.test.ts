import { describe, it } from "vitest";
import { seed } from "../../../../../../test/conformance/seed.js";
import { register } from "../../../run/register.js";
import { wired } from "./harness.js";

register({ describe, it }, wired, { profile: "smoke", seed });
