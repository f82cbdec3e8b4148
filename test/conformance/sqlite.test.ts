import { register } from "@ojm/conformance";
import { describe, it } from "vitest";
import { sqliteFile } from "./files.js";
import { seed } from "./seed.js";

register({ describe, it }, sqliteFile, { profile: "full", seed });
