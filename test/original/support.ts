import { expect } from "vitest";
import { type Ended, ojm } from "../../packages/cli/src/testing/ojm.js";

/** A job file on SQLite: its jobs, each a YAML block that is indented by two spaces, and its todo. */
export function onSqlite(jobs: string, todo: string, settings = ""): string {
  return `include: [oJobManager.yaml]
${settings}jobs:
  - name: Init
    to: oJobManager Init
    args:
      chJobs: { type: db, args: { file: ./ojm.db } }
      chLocks: { type: db, args: { file: ./ojm.db } }
${jobs}
todo: [${todo}]
`;
}

/** A managed job with this script on one line. */
export function managed(name: string, script: string, args = ""): string {
  return `  - name: ${name}
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
    args: { name: ${name.toLowerCase()}${args} }
    exec: |
      ${script}
`;
}

/** The records of a folder's job file, newest first: name, status and error. */
export async function records(folder: string): Promise<string[]> {
  const { code, out, err } = await ojm(folder, "history", "jobs.yaml", "--limit", "100");
  expect([code, err]).toEqual([0, ""]);
  if (out === "no runs yet\n") return [];
  return out
    .split("\n")
    .slice(2, -1)
    .map((line) => {
      const [run, , status, , , ...error] = line.split(/ {2,}/);
      return [run, status, ...error].join(" ").trim();
    });
}

/** The state of each lock of a folder's job file: its name, and "held" or "free". */
export async function locks(folder: string): Promise<string[]> {
  const { out } = await ojm(folder, "locks", "jobs.yaml");
  return out
    .split("\n")
    .slice(2, -1)
    .map((line) => line.split(/ {2,}/).slice(0, 2).join(" "));
}

/** Runs the job file of a folder to its end. */
export function run(folder: string, ...words: string[]): Promise<Ended> {
  return ojm(folder, "run", "jobs.yaml", ...words);
}
