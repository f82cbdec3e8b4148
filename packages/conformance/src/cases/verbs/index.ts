import type { CaseGroup } from "../../case/case.js";
import { properties } from "./properties.js";
import { verbs as single } from "./verbs.js";

export const verbs: CaseGroup = { prefix: "VRB", title: "verbs and laws", cases: [...single, ...properties] };
