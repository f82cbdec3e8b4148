import { whyMissing } from "../../packages/redis/src/testing/servers.js";
import { singleServer } from "./redis-servers.js";
import { conformance } from "./suite.js";

conformance(singleServer("valkey-server"), whyMissing("valkey-server"), "variant");
