import { whyMissing } from "@ojm/testing/redis";
import { cluster } from "./redis-servers.js";
import { conformance } from "./suite.js";

conformance(cluster, whyMissing("redis-server"), "variant");
