import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Harness, harnessOf, isGood, type Profile, type RunReport, run, table } from "@ojm/conformance";
import { backend as simple } from "@ojm/simple";
import { etcdMissing } from "@ojm/testing/etcd";
import { pgBouncerMissing, postgresMissing } from "@ojm/testing/postgres";
import { whyMissing } from "@ojm/testing/redis";
import { harness as postgresExample } from "../../examples/backend-postgres/test/harness.js";
import { whyMissing as whyNoPostgres } from "../../examples/backend-postgres/test/server.js";
import { single, threeNodes } from "./etcd-servers.js";
import { levelFolder, sqliteFile } from "./files.js";
import { pooled, single as postgresServer } from "./postgres-servers.js";
import { cluster, sentinel, singleServer } from "./redis-servers.js";
import { seed as fixedSeed } from "./seed.js";

/*
 * Runs the suite on every backend that we publish, one after the other, and writes the table of cases and
 * backends.
 *   npm run conformance -- [--profile soak] [--backend NAME] [--only ERR-024] [--seed N] [--write FILE]
 */

const redisMissing = whyMissing("redis-server");
const backends: readonly (readonly [harness: Harness, missing?: string | undefined])[] = [
  [harnessOf(simple)],
  [levelFolder],
  [sqliteFile],
  [singleServer("redis-server"), redisMissing],
  [singleServer("valkey-server"), whyMissing("valkey-server")],
  [cluster, redisMissing],
  [sentinel, redisMissing],
  [single, etcdMissing()],
  [threeNodes, etcdMissing()],
  [postgresServer, postgresMissing()],
  [pooled, pgBouncerMissing()],
  [postgresExample, whyNoPostgres()],
];

const { values } = parseArgs({
  options: {
    profile: { type: "string", default: "full" },
    backend: { type: "string", multiple: true },
    only: { type: "string" },
    seed: { type: "string", default: String(fixedSeed) },
    write: { type: "string" },
  },
});
const { profile, only } = values;
const seed = Number(values.seed);
const reports: RunReport[] = [];
for (const [harness, missing] of backends) {
  if (values.backend !== undefined && !values.backend.includes(harness.name)) continue;
  if (missing !== undefined) {
    console.log(`${harness.name}: not run, ${missing}`);
    continue;
  }
  const started = performance.now();
  const options = { profile: profile as Profile, seed, ...(only !== undefined && { only: only.split(",") }) };
  const report = await run(harness, options, ({ id, outcome, reason }) => {
    if (outcome === "fail") console.log(`  FAIL ${id}: ${reason ?? ""}`);
  });
  reports.push(report);
  console.log(
    `${harness.name}: ${report.results.length} cases, ${Math.round((performance.now() - started) / 1_000)} s`,
  );
}
const text = table(reports);
if (values.write === undefined) console.log(`\n${text}`);
else {
  const intro = `# Cases and backends

Made by \`npm run conformance -- --write FILE\`, profile ${profile}, seed ${seed}, Node ${process.version}, on ${new Date().toISOString().slice(0, 10)}.
\`refused\`: the backend declares that it cannot, and refuses as it must. \`–\`: there is no way to find out, such as faults of a network
where there is none.

`;
  writeFileSync(values.write, intro + text);
}
process.exit(reports.every(isGood) ? 0 : 1);
