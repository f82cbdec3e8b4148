import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./run.mjs";

/**
 * The paths of the pages that a user reads, relative to the folder of the repository. Without the tutorials
 * and the guide: tests of their own do what they say.
 */
export function pages() {
  const docs = ["how-to", "reference", "start", "understand"].flatMap((folder) => markdownIn(`docs/${folder}`));
  const folders = ["packages", "examples"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}/README.md`),
  );
  return ["README.md", ...folders, ...docs].filter((page) => existsSync(join(root, page)));
}

function markdownIn(folder) {
  if (!existsSync(join(root, folder))) return [];
  const files = readdirSync(join(root, folder), { recursive: true }).filter((file) => file.endsWith(".md"));
  return files.sort().map((file) => `${folder}/${file.replaceAll("\\", "/")}`);
}

/**
 * The files that a page shows: its blocks of JavaScript and TypeScript, and the blocks of YAML whose first
 * line is the name of a file. The first line of a block names its file. A block of text right after a program
 * is its output. Throws if a program does not name its file.
 */
export function snippets(page) {
  const lines = readFileSync(join(root, page), "utf8").split("\n");
  const found = [];
  for (let at = 0; at < lines.length; at++) {
    const language = /^```(\w+)$/.exec(lines[at])?.[1];
    if (language === undefined) continue;
    const line = at + 1;
    const body = [];
    while (lines[++at] !== "```") body.push(lines[at]);
    const code = `${body.join("\n")}\n`;
    const name = /^(?:\/\/|#) ([\w.-]+\.\w+)$/.exec(body[0] ?? "")?.[1];
    const program = ["js", "ts"].includes(language);
    if (program && name === undefined) throw new Error(`${page}:${line}: the first line of a program names its file`);
    if (name === undefined || !(program || language === "yaml")) continue;
    const prints = lines[at + 2] === "```text" ? textAfter(lines, at + 2) : undefined;
    found.push({ page, line, name, code, program, prints });
  }
  return found;
}

function textAfter(lines, at) {
  const end = lines.indexOf("```", at);
  return `${lines.slice(at + 1, end).join("\n")}\n`;
}
