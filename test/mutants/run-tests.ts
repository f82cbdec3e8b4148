import { main } from "./harness.js";
import { kept } from "./kept/index.js";

const [outcome = "", ...files] = process.argv.slice(2);
// Those that start processes wait for them, and do nothing meanwhile.
const slow = files.some((file) => kept.slow.includes(file));
await main(outcome, files, slow ? 90_000 : 6_000);
