import { sqliteFile } from "./files.js";
import { conformance } from "./suite.js";

conformance(sqliteFile);
