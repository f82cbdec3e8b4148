import { check } from "./lib/check/check.mjs";
import { install } from "./lib/install.mjs";

await install();
const failed = await check();
if (failed.length > 0) {
  console.error(
    `\n${failed.length} of the checks failed: ${failed.join(", ")}. Lint and format mend themselves: npx biome check --write`,
  );
  process.exit(1);
}
