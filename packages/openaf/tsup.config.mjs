import base from "../../tsup.base.mjs";

/** The functions, and the entry of the thread that makes requests: the first expects the second beside it. */
export default {
  ...base,
  entry: { index: "src/index.ts", "request-worker": "src/http/worker.ts" },
};
