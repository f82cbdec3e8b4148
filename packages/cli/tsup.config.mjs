import base from "../../tsup.base.mjs";

/** A program, not a library: no types. */
export default { ...base, entry: { main: "src/main.ts" }, dts: false };
