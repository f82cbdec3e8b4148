import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run } from "../run.mjs";

/**
 * Packs the sources again, in a copy elsewhere, which is built from nothing under another umask, time zone
 * and language. Prints each file that differs from what is packed in `here`. Resolves to an exit code.
 */
export async function packsTheSame(here) {
  const home = mkdtempSync(join(tmpdir(), "ojm-same-bytes-"));
  try {
    const copy = join(home, "another folder");
    copySources(copy);
    const env = { TZ: "Pacific/Chatham", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8", INIT_CWD: home };
    const args = ["-c", 'umask 077 && exec "$0" scripts/pack.mjs packed', process.execPath];
    if ((await run("sh", args, { cwd: copy, env, quiet: true })) !== 0) return 1;
    return compare(
      readFileSync(join(here, "SHA256SUMS"), "utf8"),
      readFileSync(join(home, "packed/SHA256SUMS"), "utf8"),
    );
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Copies the files of the repository, committed or not. */
function copySources(to) {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  for (const file of listed.split("\n")) {
    if (file !== "" && existsSync(join(root, file))) cpSync(join(root, file), join(to, file));
  }
}

function compare(first, second) {
  if (first === second) return 0;
  const lines = second.split("\n");
  const differing = first.split("\n").filter((line) => !lines.includes(line));
  for (const line of differing) console.error(`differs in a second build: ${line.slice(66)}`);
  return 1;
}
