import { whyMissing } from "@ojm/testing/redis";
import { singleServer } from "./redis-servers.js";
import { conformance } from "./suite.js";

conformance(singleServer("valkey-server"), whyMissing("valkey-server"), "variant");
