import { randomInt } from "node:crypto";
import { basename } from "node:path";
import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { stop, tool } from "./lib/run.mjs";
import { installServers } from "./lib/servers.mjs";
import { testFiles } from "./lib/test-files.mjs";

const ENDING = ".fuzz.test.ts";
/** The file of each target. */
const targets = new Map(
  testFiles()
    .filter((file) => file.endsWith(ENDING))
    .map((file) => [basename(file, ENDING), file]),
);

const HELP = `npm run fuzz -- [TARGET …] [--minutes N | --runs N] [--seed N]

  --minutes N   tries random inputs for this long; 1 without --runs
  --runs N      tries this many random inputs; 0: only the kept ones
  --seed N      the seed of the random inputs; another one each time

Targets: ${[...targets.keys()].sort().join(", ")}. Without a name, all of them.
Each target first tries the inputs in test/fuzz/corpus/TARGET. A random input that fails is added to them.`;

const numbers = { minutes: undefined, runs: undefined, seed: undefined };
const names = [];
const words = process.argv.slice(2);
for (let word = words.shift(); word !== undefined; word = words.shift()) {
  const name = word.replace(/^--/, "");
  if (word === "--help") {
    console.log(HELP);
    process.exit(0);
  }
  if (word.startsWith("--") && Object.hasOwn(numbers, name)) numbers[name] = Number(words.shift());
  else if (targets.has(word)) names.push(word);
  else stop(`unknown option or target: ${word}`, HELP);
  if (Number.isNaN(numbers[name])) stop(`${word} needs a number.`, HELP);
}

await install();
await installServers();
// The server of the pages has them as they are built.
await build({ only: "@ojm/ui", types: false });
const seed = numbers.seed ?? randomInt(1, 1_000_000_000);
const amount =
  numbers.runs === undefined ? { OJM_FUZZ_MINUTES: String(numbers.minutes ?? 1) } : { OJM_FUZZ: String(numbers.runs) };
console.log(
  `npm run fuzz -- ${[...process.argv.slice(2), ...(numbers.seed === undefined ? ["--seed", seed] : [])].join(" ")}`,
);
const files = (names.length > 0 ? names : [...targets.keys()]).map((name) => targets.get(name));
process.exit(await tool("vitest", ["run", ...files], { env: { ...amount, OJM_SEED: String(seed) } }));
