import type { CaseGroup } from "../../case/case.js";
import { changing } from "./changing.js";
import { pages } from "./pages.js";
import { ranges } from "./ranges.js";

export const scans: CaseGroup = { prefix: "SCN", title: "scans", cases: [...ranges, ...pages, ...changing] };
