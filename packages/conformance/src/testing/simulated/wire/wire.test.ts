/**
 * The suite on simulated servers, behind a wire each: every other backend runs it, too.
 * @module-tag full
 */
import { describe, it } from "vitest";
import { seed } from "../../../../../../test/conformance/seed.js";
import { register } from "../../../run/register.js";
import { wired } from "./harness.js";

register({ describe, it }, wired, { profile: "smoke", seed });
