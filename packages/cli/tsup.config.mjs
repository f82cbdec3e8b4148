import base from "../../tsup.base.mjs";

export default { ...base, entry: { main: "src/main.ts" } };
