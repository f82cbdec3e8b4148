import { register } from "@ojm/conformance";
import { describe, it } from "vitest";
import { levelFolder } from "./files.js";
import { seed } from "./seed.js";

register({ describe, it }, levelFolder, { profile: "full", seed });
