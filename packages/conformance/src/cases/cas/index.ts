import type { CaseGroup } from "../../case/case.js";
import { batches } from "./batches.js";
import { single } from "./single.js";

export const cas: CaseGroup = { prefix: "CAS", title: "compare-and-set", cases: [...single, ...batches] };
