import { register } from "@ojm/conformance";
import { describe, it } from "vitest";
import { whyMissing } from "../../packages/redis/src/testing/servers.js";
import { sentinel } from "./redis-servers.js";
import { seed } from "./seed.js";

const missing = whyMissing("redis-server");
if (missing === undefined) register({ describe, it }, sentinel, { profile: "full", seed });
else it.skip(`conformance on redis-sentinel: ${missing}`, () => {});
