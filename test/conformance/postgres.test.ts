import { postgresMissing } from "@ojm/testing/postgres";
import { single } from "./postgres-servers.js";
import { conformance } from "./suite.js";

conformance(single, postgresMissing(), "server");
