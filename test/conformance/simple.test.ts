import { harnessOf, register } from "@ojm/conformance";
import { backend } from "@ojm/simple";
import { describe, it } from "vitest";

register({ describe, it }, harnessOf(backend));
