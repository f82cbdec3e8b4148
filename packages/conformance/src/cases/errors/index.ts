import type { CaseGroup } from "../../case/case.js";
import { outcomes } from "./outcomes.js";
import { unreachable } from "./unreachable.js";

export const errors: CaseGroup = { prefix: "ERR", title: "errors", cases: [...unreachable, ...outcomes] };
