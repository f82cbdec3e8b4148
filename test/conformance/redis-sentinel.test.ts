import { whyMissing } from "@ojm/testing/redis";
import { sentinel } from "./redis-servers.js";
import { conformance } from "./suite.js";

conformance(sentinel, whyMissing("redis-server"), "variant");
