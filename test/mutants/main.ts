import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { kept, testNamed } from "./kept.js";
import { allMutants, sample, testsOf } from "./plan.js";
import { describeSurvivor, summary, type Tried } from "./report.js";
import { mutantOf } from "./rows.js";
import { sourcesIn } from "./symbols.js";
import { Trial } from "./trial.js";
import type { Mutant } from "./types.js";

const HELP = `npm run mutants -- [folder or file …] [--sample N] [--seed S] [--skip M]   N mutants, chosen by a seed,
                                                              of the sources in there, but the first M
npm run mutants -- --list [folder or file …] [--sample N] [--seed S] [--only PATTERN]   those of test/mutants/kept
npm run mutants -- [folder or file …] --dry                   only their names

With --thorough the tests of what is made of the changed file are run, too: minutes for each mutant that is not noticed sooner.
With --all those are run, too, that \`npm test\` leaves to \`npm run test:all\`.

Changes the code in one place at a time, in a copy of the tree, and runs the tests on it until one fails. A mutant that all tests let pass
shows what they do not look at: write the test, or note in test/mutants/kept why there is nothing to be seen.
Default: packages/core/src/locks and packages/core/src/jobs, 150 of them, seed 1.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: "string" },
    skip: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    file: { type: "string", multiple: true, default: [] },
    only: { type: "string", default: "" },
    list: { type: "boolean", default: false },
    thorough: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    dry: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const root = process.cwd();
const places = [...positionals, ...values.file];
const only = new RegExp(values.only);

/** A mutant, and the tests that should notice it, in order. */
interface Task {
  readonly mutant: Mutant;
  readonly tests: readonly string[];
}

function named(): Task[] {
  const chosen = kept.named.filter(({ name }) => only.test(name));
  const rows = new Map(chosen.map((it) => [mutantOf(root, it, it.name), it]));
  const mutants = [...rows.keys()].filter(
    ({ file }) => places.length === 0 || places.some((place) => `${file}/`.startsWith(`${place}/`)),
  );
  return chosenOf(mutants, mutants.length).map((mutant) => {
    const { pack = "", tests = [] } = rows.get(mutant) ?? {};
    const files = tests.map((test) => testNamed(root, pack, test));
    return { mutant, tests: files.length > 0 ? files : testsOf(root, mutant, values) };
  });
}

function sampled(): Task[] {
  const folders = places.length > 0 ? places : ["packages/core/src/locks", "packages/core/src/jobs"];
  const mutants = allMutants(root, [...new Set(folders.flatMap((folder) => sourcesIn(root, folder)))]);
  return chosenOf(mutants, 150).map((mutant) => ({ mutant, tests: testsOf(root, mutant, values) }));
}

/** The requested number of these mutants, or this many by default. */
function chosenOf(mutants: readonly Mutant[], usual: number): readonly Mutant[] {
  const count = Math.min(Number(values.sample ?? usual), mutants.length);
  console.log(`${count} of ${mutants.length} mutants, seed ${values.seed}`);
  // All are in the order of the list, whatever the seed.
  const chosen = count < mutants.length ? sample(mutants, count, Number(values.seed)) : mutants;
  return chosen.slice(Number(values.skip));
}

async function tryAll(trial: Trial, tasks: readonly Task[]): Promise<Tried[]> {
  const tried: Tried[] = [];
  for (const { mutant, tests } of tasks) {
    const verdict = await trial.on(mutant, tests);
    tried.push({ mutant, verdict });
    console.log(
      `${tried.length}/${tasks.length} ${verdict.outcome.padEnd(8)} ${mutant.name}${verdict.by ? ` ← ${verdict.by}` : ""}`,
    );
    if (verdict.outcome === "survived")
      console.log(describeSurvivor(mutant, readFileSync(join(root, mutant.file), "utf8")));
  }
  return tried;
}

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const tasks = (values.list ? named() : sampled()).filter(({ mutant }) => only.test(mutant.name));
  if (values.dry) {
    for (const { mutant } of tasks) console.log(mutant.name);
    return 0;
  }
  const trial = new Trial(root, values.all);
  const end = (): void => {
    trial.remove();
    process.exit(130);
  };
  process.once("SIGINT", end).once("SIGTERM", end);
  try {
    const tried = await tryAll(trial, tasks);
    console.log(summary(tried));
    return tried.every(({ verdict }) => verdict.outcome === "killed" || verdict.outcome === "stuck") ? 0 : 1;
  } finally {
    trial.remove();
  }
}

process.exitCode = await main();
