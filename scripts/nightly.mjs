import { randomInt } from "node:crypto";
import { newestPostgres } from "./lib/newest-postgres.mjs";
import { root, run } from "./lib/run.mjs";

// Everything, with random choices of its own: `npm run test:all` with a new seed and more simulations, each
// fuzz target for an hour, a round of the whole fault matrix, mutants, a second build to the same bytes,
// and the suite on the newest PostgreSQL.
// Its first lines are the seeds, so that a failure can be reproduced.
const seed = Number(process.env.OJM_SEED ?? randomInt(1, 1_000_000));
const steps = [
  ["npm", ["run", "test:all"], { OJM_SEED: String(seed), OJM_SEEDS: "500", OJM_CROWD_RUNS: "200" }],
  ["npm", ["run", "fuzz", "--", "--minutes", "60", "--seed", String(seed)], {}],
  ["npm", ["run", "torture", "--", "--seed", String(seed), "--jobs", "2", "--rounds", "1"], {}],
  ["npm", ["run", "torture", "--", "--mixed", "--seed", String(seed), "--jobs", "2", "--rounds", "1"], {}],
  ["npm", ["run", "mutants"], {}],
  ["npm", ["run", "check", "--", "--same-bytes"], {}],
];
const programs = await newestPostgres();
if (programs === undefined) console.log("skipped: the newest PostgreSQL could not be installed");
else steps.push(["npm", ["run", "conformance", "--", "--backend", "postgres"], { OJM_POSTGRES: programs }]);
const lineOf = ([command, args, env]) =>
  [...Object.entries(env).map(([name, value]) => `${name}=${value}`), command, ...args].join(" ");
for (const step of steps) console.log(lineOf(step));

const failed = [];
for (const step of steps) {
  const [command, args, env] = step;
  console.log(`\n$ ${lineOf(step)}`);
  if ((await run(command, args, { cwd: root, env })) !== 0) failed.push(lineOf(step));
}
console.log(failed.length === 0 ? "\nall passed" : `\nfailed:\n  ${failed.join("\n  ")}`);
process.exit(failed.length === 0 ? 0 : 1);
