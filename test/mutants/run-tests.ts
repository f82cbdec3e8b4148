import { main } from "./harness.js";

const [outcome = "", ...files] = process.argv.slice(2);
await main(outcome, files);
