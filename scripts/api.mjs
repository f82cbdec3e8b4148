import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";

await install();
await build();
// Imported here: it needs packages that a fresh clone has only once the dependencies are installed.
const { checkApi } = await import("./lib/check/api.mjs");
process.exit(checkApi({ update: true }));
