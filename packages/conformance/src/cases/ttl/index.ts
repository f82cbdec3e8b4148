import type { CaseGroup } from "../../case/case.js";
import { conditions } from "./conditions.js";
import { deadlines } from "./deadlines.js";

export const ttl: CaseGroup = { prefix: "TTL", title: "time to live", cases: [...deadlines, ...conditions] };
