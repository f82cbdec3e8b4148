import { child, type MapNode } from "../yaml/node.js";

/** What other programs call the script of a job. */
const WORK: readonly string[] = ["script", "run", "command", "cmd", "shell", "bash"];

/** The keys under which a job has its work. */
const OURS: readonly string[] = ["exec", "from", "to", "earlier", "then"];

/** The same among the settings of its type. */
const OUR_SETTINGS: readonly string[] = ["file", "execRequire"];

/** Whether an unknown key of a job looks like its work. */
export function isWork(key: string, path: readonly string[]): boolean {
  return path.join(".") === "jobs" && WORK.includes(key);
}

/** Whether a job has no work but what stands under unknown keys. */
export function hasNoWork(job: MapNode): boolean {
  const settings = child(job, "typeArgs");
  return (
    OURS.every((key) => child(job, key) === undefined) &&
    OUR_SETTINGS.every((key) => child(settings, key) === undefined)
  );
}

/** What to write instead. */
export function insteadOf(): string {
  return 'Write the script under "exec": it is JavaScript, or with "lang: shell" in the job a shell script.';
}
