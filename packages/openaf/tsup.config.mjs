import base from "../../tsup.base.mjs";

/** The functions, and the entry of the thread of requests, which the functions expect beside them. */
export default {
  ...base,
  entry: { index: "src/index.ts", "request-worker": "src/http/worker.ts" },
};
