import { levelFolder } from "./files.js";
import { conformance } from "./suite.js";

conformance(levelFolder);
