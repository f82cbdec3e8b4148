import { conformance } from "../../../test/conformance/suite.js";
import { harness } from "./harness.js";
import { whyMissing } from "./server.js";

conformance(harness, whyMissing(), "variant");
