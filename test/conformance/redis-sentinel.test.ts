import { whyMissing } from "../../packages/redis/src/testing/servers.js";
import { sentinel } from "./redis-servers.js";
import { conformance } from "./suite.js";

conformance(sentinel, whyMissing("redis-server"), "variant");
