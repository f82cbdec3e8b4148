import { register } from "@ojm/conformance";
import { describe, it } from "vitest";
import { whyMissing } from "../../packages/redis/src/testing/servers.js";
import { singleServer } from "./redis-servers.js";
import { seed } from "./seed.js";

const missing = whyMissing("valkey-server");
if (missing === undefined) register({ describe, it }, singleServer("valkey-server"), { profile: "full", seed });
else it.skip(`conformance on valkey: ${missing}`, () => {});
