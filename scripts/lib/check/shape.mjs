import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { root } from "../run.mjs";

/** The most lines of code in a file, without blank lines and comments. */
const MOST_LINES = 250;

/** The most source files in one folder. */
const MOST_FILES = 10;

/** The most columns of a comment. Code may take 120, see biome.json. */
const MOST_COLUMNS = 110;

const COMMENT = /^\s*(\*|\/\/|\/\*)/;
const ADDRESS = /https?:\/\//;

const SOURCE = /\.(ts|tsx|mts|mjs|cjs|js)$/;
const TEST_FILE = /\.test(-d)?\.tsx?$/;
const TEST = /\.test(-d)?\.tsx?$|(^|\/)(testing|test)\//;

/**
 * Checks the length of source files and the size of folders, and prints each violation. Returns an exit code.
 */
export function checkShape() {
  const violations = violationsOf(sources());
  for (const violation of violations) console.error(violation);
  return violations.length === 0 ? 0 : 1;
}

function violationsOf(files) {
  const long = files
    .filter((file) => !TEST.test(file))
    .map((file) => [file, linesOfCode(readFileSync(join(root, file), "utf8"))])
    .filter(([, lines]) => lines > MOST_LINES)
    .map(([file, lines]) => `${file}: ${lines} lines of code, at most ${MOST_LINES}`);
  const folders = groupByFolder(files);
  const full = [...folders]
    .map(([folder, all]) => [folder, all.filter((file) => !TEST_FILE.test(file) && !/\.config\./.test(basename(file)))])
    .filter(([, all]) => all.length > MOST_FILES)
    .map(([folder, all]) => `${folder}: ${all.length} source files in one flat list, at most ${MOST_FILES}`);
  return [...long, ...full, ...files.flatMap(wideCommentsOf)];
}

function wideCommentsOf(file) {
  return readFileSync(join(root, file), "utf8")
    .split("\n")
    .flatMap((line, i) =>
      COMMENT.test(line) && !ADDRESS.test(line) && [...line].length > MOST_COLUMNS
        ? [`${file}:${i + 1}: a comment of ${[...line].length} columns, at most ${MOST_COLUMNS}`]
        : [],
    );
}

function groupByFolder(files) {
  const folders = new Map();
  for (const file of files) folders.set(dirname(file), [...(folders.get(dirname(file)) ?? []), file]);
  return folders;
}

function sources() {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  return listed.split("\n").filter((file) => SOURCE.test(file) && existsSync(join(root, file)));
}

function linesOfCode(text) {
  let lines = 0;
  let inComment = false;
  for (const line of text.split("\n").map((each) => each.trim())) {
    const begins = !inComment && line.startsWith("/*");
    if (!inComment && !begins && line !== "" && !line.startsWith("//")) lines++;
    if (begins || inComment) inComment = !line.includes("*/");
  }
  return lines;
}
