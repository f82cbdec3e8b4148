import { whyMissing } from "../../packages/redis/src/testing/servers.js";
import { singleServer } from "./redis-servers.js";
import { conformance } from "./suite.js";

conformance(singleServer("redis-server"), whyMissing("redis-server"));
