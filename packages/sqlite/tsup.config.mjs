import base from "../../tsup.base.mjs";

/** The bundle contains neither driver, because the running Node decides which one is loaded. */
export default { ...base, entry: ["src/index.ts"] };
