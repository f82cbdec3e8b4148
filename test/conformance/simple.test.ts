import { harnessOf, register } from "@ojm/conformance";
import { backend } from "@ojm/simple";
import { describe, it } from "vitest";
import { seed } from "./seed.js";

register({ describe, it }, harnessOf(backend), { seed });
