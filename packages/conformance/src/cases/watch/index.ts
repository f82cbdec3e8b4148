import type { CaseGroup } from "../../case/case.js";
import { interrupted } from "./interrupted.js";
import { lossless } from "./lossless.js";
import { telling } from "./telling.js";

export const watch: CaseGroup = { prefix: "WCH", title: "watch", cases: [...telling, ...lossless, ...interrupted] };
