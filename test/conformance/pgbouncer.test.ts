import { pgBouncerMissing } from "@ojm/testing/postgres";
import { pooled } from "./postgres-servers.js";
import { conformance } from "./suite.js";

conformance(pooled, pgBouncerMissing(), "variant");
