import { cruise } from "dependency-cruiser";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";
import config from "../../../.dependency-cruiser.mjs";
import { root } from "../run.mjs";

/**
 * Checks the direction of imports by `.dependency-cruiser.mjs`, and prints each wrong one. Resolves to an
 * exit code.
 */
export async function checkImports() {
  const { forbidden, options } = config;
  const { enhancedResolveOptions, tsConfig, ...rest } = options;
  const { output } = await cruise(
    ["packages", "test", "scripts"],
    { ...rest, baseDir: root, validate: true, ruleSet: { forbidden } },
    enhancedResolveOptions,
    { tsConfig: extractTSConfig(`${root}/${tsConfig.fileName}`) },
  );
  const { violations, totalCruised } = output.summary;
  for (const { rule, from, to, cycle } of violations) {
    const path = cycle === undefined ? [from, to] : [from, ...cycle.map(({ name }) => name)];
    console.error(`${rule.name}: ${path.join(" -> ")}`);
  }
  // A configuration that finds no files would accept anything.
  if (totalCruised < 100) console.error(`only ${totalCruised} files were read`);
  return violations.length === 0 && totalCruised >= 100 ? 0 : 1;
}
