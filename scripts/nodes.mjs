import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./lib/build.mjs";
import { install } from "./lib/install.mjs";
import { pack } from "./lib/pack.mjs";
import { installServers } from "./lib/servers.mjs";
import { quickStarts, readmePrograms, suites } from "./nodes/checks.mjs";
import { daemon } from "./nodes/daemon.mjs";
import { environment, installNode, installPackages, program } from "./nodes/install.mjs";
import { startServers } from "./nodes/servers.mjs";

const USAGE = `npm run nodes -- [--node 20,22,24,26] [--manager npm,pnpm] [--minutes 0]

Packs the packages. For each version of Node and each package manager, installs them in an empty folder and runs there: the quick start on all five
stores, the programs of the READMEs, the quick part of the conformance suite on every backend, and a daemon that is killed ten times.

--minutes  how long the ten daemons run in total. Each runs at least until it has ticked twice`;

const { values } = parseArgs({
  options: {
    node: { type: "string", default: "20,22,24,26" },
    manager: { type: "string", default: "npm,pnpm" },
    minutes: { type: "string", default: "0" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}

await install();
await installServers();
await build();
const tarballs = await pack();
const home = mkdtempSync(join(tmpdir(), "ojm-nodes-"));
const servers = await startServers(join(home, "servers"));
const rows = [];
try {
  for (const line of values.node.split(",")) {
    const bin = await installNode(line, home);
    for (const manager of values.manager.split(",")) {
      rows.push([`Node ${line}`, manager, ...(await checkAll(line, bin, manager))]);
    }
  }
} finally {
  servers.stop();
  rmSync(home, { recursive: true, force: true });
}
const head = ["", "", "install", "quick starts", "READMEs", "suite", "daemon"];
for (const row of [head, ...rows]) console.log(row.map((cell, i) => cell.padEnd(head[i].length + 8)).join(""));
process.exit(rows.some((row) => row.includes("FAILED")) ? 1 : 0);

/** Runs all checks. Resolves to one word for each of them. Prints at once what went wrong. */
async function checkAll(line, bin, manager) {
  const env = bin === undefined ? process.env : environment(bin);
  const folder = join(home, `${line}-${manager}`);
  mkdirSync(folder, { recursive: true });
  const place = { folder, env, servers, tarballs, line };
  const steps = [
    () => (bin === undefined ? `node@${line} could not be installed` : installPackages(manager, place)),
    () => quickStarts(place),
    () => readmePrograms(place),
    () => suites(place),
    () => daemon(program(folder, "ojm"), { folder: join(folder, "daemon"), env, minutes: Number(values.minutes) }),
  ];
  const words = [];
  for (const step of steps) {
    // Without installed packages, no other check can run.
    if (words[0] === "FAILED") words.push("-");
    else {
      const wrong = await step();
      if (wrong !== undefined) console.error(`Node ${line}, ${manager}: ${wrong}`);
      words.push(wrong === undefined ? "ok" : "FAILED");
    }
  }
  return words;
}
