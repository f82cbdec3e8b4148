import { whyMissing } from "../../packages/redis/src/testing/servers.js";
import { cluster } from "./redis-servers.js";
import { conformance } from "./suite.js";

conformance(cluster, whyMissing("redis-server"), "variant");
