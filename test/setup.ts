import { configureGlobal } from "fast-check";
import { seed } from "./conformance/seed.js";

// A change is judged by itself: chance must not find an old fault in its run. `OJM_SEED=$RANDOM` explores.
configureGlobal({ seed });
