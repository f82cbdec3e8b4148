import { harnessOf } from "@ojm/conformance";
import { backend } from "@ojm/simple";
import { conformance } from "./suite.js";

conformance(harnessOf(backend));
