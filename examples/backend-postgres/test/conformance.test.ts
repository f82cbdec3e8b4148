import { register } from "@ojm/conformance";
import { describe, it } from "vitest";
import { seed } from "../../../test/conformance/seed.js";
import { harness } from "./harness.js";
import { whyMissing } from "./server.js";

const missing = whyMissing();
if (missing === undefined) register({ describe, it }, harness, { profile: "full", seed });
else it.skip(`conformance on PostgreSQL: ${missing}`, () => {});
