import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { Log, type RunFileOptions, runJobFile } from "../index.js";

/** The result of running a job file. */
export interface Ran {
  readonly well: boolean;
  readonly out: string;
  readonly err: string;
  /** The messages of the log lines on the normal output, without their times. */
  readonly lines: readonly string[];
  readonly folder: string;
}

/** Runs a job file in this process, its output going to files. */
export async function runText(
  yaml: string,
  options: Omit<RunFileOptions, "log"> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const folder = folderWith({ "jobs.yaml": yaml, ...files });
  const [out, err] = [join(folder, "out"), join(folder, "err")];
  const fds = [openSync(out, "w"), openSync(err, "w")] as const;
  const log = new Log(...fds);
  try {
    const well = await runJobFile(join(folder, "jobs.yaml"), { log, ...options });
    await log.flush();
    const text = readFileSync(out, "utf8");
    const lines = text.split("\n").flatMap((line) => / \| [A-Z]+ *\| (.*)/.exec(line)?.[1] ?? []);
    return { well, out: text, err: readFileSync(err, "utf8"), lines, folder };
  } finally {
    await log.flush();
    for (const fd of fds) closeSync(fd);
  }
}

/** A job file whose only job has this script. */
export function script(code: string, more = ""): string {
  const lines = code.split("\n").map((line) => `      ${line}`);
  return ["jobs:", "  - name: Job", "    exec: |", ...lines, more, "todo: [Job]", ""].join("\n");
}
