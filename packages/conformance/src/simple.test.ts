import { describe, it } from "vitest";
import { seed } from "../../../test/conformance/seed.js";
import { simple, simpleInManualTime } from "./harness/simple.js";
import { register } from "./run/register.js";

register({ describe, it }, simple, { profile: "full", seed });
register({ describe, it }, simpleInManualTime, { profile: "smoke", seed });
