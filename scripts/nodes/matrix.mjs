import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { printTable } from "../lib/release.mjs";
import { installServers } from "../lib/servers.mjs";
import { nestApplication, quickStarts, readmePrograms, suites } from "./checks.mjs";
import { daemon } from "./daemon.mjs";
import { environment, installNode, installPackages, program } from "./install.mjs";
import { startServers } from "./servers.mjs";

export const LINES = "20,22,24,26";
export const MANAGERS = "npm,pnpm,yarn";

/** The cells that options name. Ends the script with 2 if a package manager is unknown. */
export function wantedCells({ node, manager }) {
  const managers = manager.split(",");
  const unknown = managers.filter((name) => !MANAGERS.split(",").includes(name));
  if (unknown.length > 0) {
    console.error(`unknown package manager: ${unknown.join(", ")}. Known: ${MANAGERS}`);
    process.exit(2);
  }
  return { lines: node.split(","), managers };
}

/**
 * Installs the tarballs under each line of Node by each package manager, runs the checks there, and prints a
 * table. With `quick`, only the quick starts are run. Resolves to how many checks failed.
 */
export async function runMatrix({ lines, managers, tarballs, quick = false, minutes = 0 }) {
  await installServers();
  const home = mkdtempSync(join(tmpdir(), "ojm-nodes-"));
  const servers = await startServers(join(home, "servers"));
  const head = ["", "", "install", "quick starts", ...(quick ? [] : ["READMEs", "Nest", "suite", "daemon"])];
  const rows = [];
  try {
    for (const line of lines) {
      const bin = await installNode(line, home);
      for (const manager of managers) {
        const words = await checkAll({ home, bin, line, manager, servers, tarballs, quick, minutes });
        rows.push([`Node ${line}`, manager, ...words]);
        console.error(`Node ${line}, ${manager}: ${words.join(", ")}`);
      }
    }
  } finally {
    servers.stop();
    rmSync(home, { recursive: true, force: true });
  }
  console.log();
  printTable([head, ...rows]);
  return rows.flat().filter((word) => word === "FAILED").length;
}

/** Runs all checks. Resolves to one word for each of them. Prints at once what went wrong. */
async function checkAll({ home, bin, line, manager, servers, tarballs, quick, minutes }) {
  const env = bin === undefined ? process.env : environment(bin);
  const folder = join(home, `${line}-${manager}`);
  mkdirSync(folder, { recursive: true });
  const place = { folder, env, servers, tarballs, line };
  const steps = [
    () => (bin === undefined ? `node@${line} could not be installed` : installPackages(manager, place)),
    () => quickStarts(place),
  ];
  if (!quick) {
    steps.push(
      () => readmePrograms(place),
      () => nestApplication(place),
      () => suites(place),
      () => daemon(program(folder, "ojm"), { folder: join(folder, "daemon"), env, minutes }),
    );
  }
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
