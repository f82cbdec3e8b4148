import { build } from "./lib/build.mjs";
import { check, checkSameBytes } from "./lib/check/check.mjs";
import { install } from "./lib/install.mjs";

await install();
if (process.argv.includes("--write-api")) {
  await build();
  // Imported here: it needs packages that a fresh clone has only once the dependencies are installed.
  const { checkApi } = await import("./lib/check/api.mjs");
  process.exit(checkApi({ update: true }));
}
if (process.argv.includes("--same-bytes")) process.exit(await checkSameBytes());
const failed = await check();
// Sends the failed checks to scripts/test.mjs, which counts them.
process.send?.(failed);
if (failed.length > 0) {
  console.error(
    `\n${failed.length} of the checks failed: ${failed.join(", ")}. Lint and format mend themselves: npx biome check --write`,
  );
  // Do not call exit(): the message must be sent.
  process.exitCode = 1;
}
