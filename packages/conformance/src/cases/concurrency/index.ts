import type { CaseGroup } from "../../case/case.js";
import { linearizable } from "./linearizable.js";
import { races } from "./races.js";
import { transfers } from "./transfers.js";

export const concurrency: CaseGroup = { prefix: "CNC", title: "concurrency", cases: [...races, ...transfers] };

export const linearizability: CaseGroup = { prefix: "LIN", title: "linearizability", cases: linearizable };
