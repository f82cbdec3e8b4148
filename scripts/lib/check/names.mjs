import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../run.mjs";

/** A word of a command that installs or runs a package: an option, or the name of another package. */
const WORD = String.raw`(?:[ \t]+[-@\w][^\s\`"']*)*?`;

/** The name itself, even with a version, but not a longer name that begins with it. */
const NAME = String.raw`[ \t]+["']?ojm(?![\w/-])`;

/** On npm, `ojm` is another project: ours is `@ojm/cli`. */
const WRONG = [
  String.raw`\b(?:npx|pnpx|bunx|(?:npm|pnpm|yarn|bun)[ \t]+(?:exec|dlx|x))(?:[ \t]+-\S+)*${NAME}`,
  String.raw`\b(?:npm|pnpm|yarn|bun)[ \t]+(?:install|i|add|ci|update|remove|uninstall|link)\b${WORD}${NAME}`,
  String.raw`\bpackage[ \t]+[\`"']?ojm(?![\w/-])`,
  String.raw`"ojm"\s*:\s*"(?:workspace:|npm:|file:|link:|[~^]\d)`,
  String.raw`(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*["']ojm["'/]`,
].map((source) => new RegExp(source, "g"));

/** Prints each place that uses `ojm` as the name of our package. Returns an exit code. */
export function checkNames() {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  const files = listed.split("\n").filter((file) => file !== "" && !/\.(png|woff2?)$/.test(file));
  const found = files.filter((file) => existsSync(join(root, file))).flatMap(placesIn);
  for (const place of found) console.error(place);
  return found.length === 0 ? 0 : 1;
}

function placesIn(file) {
  const text = readFileSync(join(root, file), "utf8");
  return WRONG.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(({ 0: words, index }) => {
      const line = text.slice(0, index).split("\n").length;
      return `${file}:${line}: "${words.trim()}": the package is @ojm/cli, and ojm its program`;
    }),
  );
}
