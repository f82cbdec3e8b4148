import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../run.mjs";

/** The most columns of a comment. Code may take 120, see biome.json. */
const MAX_COLUMNS = 110;

const COMMENT = /^\s*(\*|\/\/|\/\*)/;
const ADDRESS = /https?:\/\//;
const SOURCE = /\.(ts|tsx|mts|mjs|cjs|js)$/;

/** Words that comments once had too many of, each with what to write instead. */
const INSTEAD = new Map([
  [/\b(tells?|told)\b/i, "reports, logs, prints, notifies, returns: what really happens"],
  [/\bgoes on\b/i, "is running, continues"],
  [/\b(nobody|somebody|anybody|whoever)\b/i, "the holder, the waiter, another process, no process"],
  [/\banew\b/i, "again"],
  [/\bwhat became of\b/i, "the outcome of"],
  [/\bcockpit\b/i, "UI"],
]);

/** Prints each comment that is wide, or has a word of {@link INSTEAD}. Returns an exit code. */
export function checkComments() {
  const faults = sources().flatMap(faultsOf);
  for (const each of faults) console.error(each);
  return faults.length === 0 ? 0 : 1;
}

function faultsOf(file) {
  const lines = readFileSync(join(root, file), "utf8").split("\n");
  return lines.flatMap((line, i) => {
    if (!COMMENT.test(line)) return [];
    const at = `${file}:${i + 1}:`;
    const columns = [...line].length;
    const isWide = columns > MAX_COLUMNS && !ADDRESS.test(line);
    // Code in a comment is as it is.
    const prose = line.replace(/`[^`]*`/g, "");
    const words = [...INSTEAD].filter(([word]) => word.test(prose));
    return [
      ...(isWide ? [`${at} a comment of ${columns} columns, at most ${MAX_COLUMNS}`] : []),
      ...words.map(([word, better]) => `${at} "${word.exec(prose)?.[0]}" in a comment: write ${better}`),
    ];
  });
}

function sources() {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  return listed.split("\n").filter((file) => SOURCE.test(file) && existsSync(join(root, file)));
}
