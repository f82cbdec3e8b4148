import type { CaseGroup } from "../../case/case.js";
import { changes } from "./changes.js";
import { interrupted } from "./interrupted.js";
import { lossless } from "./lossless.js";

export const watch: CaseGroup = { prefix: "WCH", title: "watch", cases: [...changes, ...lossless, ...interrupted] };
