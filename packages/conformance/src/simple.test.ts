import { describe, it } from "vitest";
import { simple, simpleInManualTime } from "./harness/simple.js";
import { register } from "./run/register.js";

register({ describe, it }, simple, { profile: "full" });
register({ describe, it }, simpleInManualTime, { profile: "smoke" });
