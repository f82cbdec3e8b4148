import type { CaseGroup } from "../../case/case.js";
import { identity } from "./identity.js";
import { order } from "./order.js";

export const keys: CaseGroup = { prefix: "KEY", title: "keys", cases: [...identity, ...order] };
