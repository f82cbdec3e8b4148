import { describe, it } from "vitest";
import { register } from "../../run/register.js";
import { wired } from "./harness.js";

register({ describe, it }, wired, { profile: "smoke" });
