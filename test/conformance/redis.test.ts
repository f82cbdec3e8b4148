import { whyMissing } from "@ojm/testing/redis";
import { singleServer } from "./redis-servers.js";
import { conformance } from "./suite.js";

conformance(singleServer("redis-server"), whyMissing("redis-server"), "server");
