import base from "../../tsup.base.mjs";

/** Neither driver is a part of the bundle: which one is loaded is decided by the Node that runs it. */
export default { ...base, entry: ["src/index.ts"] };
