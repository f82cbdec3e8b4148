import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import type { JobManager } from "@ojm/core";
import { openQueues } from "@ojm/queue";
import { openScheduler } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { groups } from "../../command-line/commands.js";
import { commandOf, Ojm, ojm } from "../../testing/ojm.js";
import { storeIn } from "../../testing/store.js";
import { namesThatBegin, runsThatBegin } from "./complete.js";
import { bashScript } from "./shells/bash.js";
import { fishScript } from "./shells/fish.js";
import { zshScript } from "./shells/zsh.js";
import { words } from "./words.js";

let folder: string;
let manager: JobManager;

beforeEach(async () => {
  folder = folderWith({});
  manager = await storeIn(folder);
});

async function collect(all: AsyncIterable<string>): Promise<string[]> {
  const found = new Set<string>();
  for await (const one of all) found.add(one);
  return [...found].sort();
}

/** Whether a shell is installed. */
function has(shell: string): boolean {
  return spawnSync(shell, ["-c", "exit 0"]).status === 0;
}

describe("what the store knows", () => {
  test("names are those of jobs and schedules; none that a terminal would obey is offered", async () => {
    for (const name of ["import", "impose", "\u001b[2J", "two\nlines"]) await manager.run(name, () => {});
    await using scheduler = openScheduler(manager);
    await scheduler.add("improve", { every: 3_600_000 }, () => {});
    expect(await collect(namesThatBegin(manager, ""))).toEqual(["import", "impose", "improve"]);
    expect(await collect(namesThatBegin(manager, "impo"))).toEqual(["import", "impose"]);
    expect(await collect(namesThatBegin(manager, "x"))).toEqual([]);
  });

  test("runs are offered by name, and by id once a name is written", async () => {
    const first = await manager.run("import", () => {});
    const second = await manager.run("import", () => {});
    const ids = [first.record.id, second.record.id];
    expect(await collect(runsThatBegin(manager, "imp"))).toEqual(["import", ...ids]);
    expect(await collect(runsThatBegin(manager, "import@"))).toEqual(ids);
    expect(await collect(runsThatBegin(manager, ids[1] ?? ""))).toEqual([ids[1]]);
  });

  test("nothing is printed on any error, and a store that does not answer is not waited for", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    onTestFinished(() => void silent.close());
    await expect.poll(() => silent.listening).toBe(true);
    const { port } = silent.address() as { readonly port: number };
    const stores = ["sqlite:nowhere.db", "nonsense", `redis://127.0.0.1:${port}`];
    const ended = await Promise.all(stores.map((store) => ojm(folder, "__complete", "RUN", "--store", store)));
    expect(ended).toEqual(stores.map(() => ({ code: 0, out: "", err: "" })));
    expect(await ojm(folder, "__complete", "--nonsense")).toEqual({ code: 1, out: "", err: "" });
  });
});

test.each(["ignite", "./ignite.mjs", "etcd"])(
  "a press of TAB runs no backend of the working folder (type %s)",
  async (type) => {
    const code = `import { writeFileSync } from "node:fs"; writeFileSync("ran", ""); export const backend = {};`;
    const own = folderWith({ "ojm.config.json": JSON.stringify({ store: { type } }), "ignite.mjs": code });
    for (const name of ["ignite", "@ojm/ignite", "@ojm/etcd"]) {
      const home = join(own, "node_modules", name);
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, "package.json"), JSON.stringify({ name, type: "module", exports: "./index.js" }));
      writeFileSync(join(home, "index.js"), code);
    }
    // The program is elsewhere, with only its built-in backends.
    const env = { ...process.env, OJM_CONFIG: "ojm.config.json", OJM_STORE: "" };
    const { code: exit, out } = await new Ojm(own, ["__complete", "NAME", "--within", "60s"], env).ended;
    expect([exit, out]).toEqual([0, ""]);
    expect(existsSync(join(own, "ran"))).toBe(false);
  },
);

describe("the script of bash", () => {
  /**
   * The completions of bash for a line. It gets the words as bash splits them: at blanks, `@`, `:` and `=`.
   */
  function offered(line: string): string[] {
    const bin = join(folder, "ojm");
    const main = commandOf([])
      .map((word) => `'${word}'`)
      .join(" ");
    // On a busy machine, the start alone may take longer than the limit for a prompt.
    writeFileSync(bin, `#!/bin/sh\ncommand="$1"; shift\nexec ${main} "$command" --within 60s "$@"\n`);
    chmodSync(bin, 0o755);
    const split: string[] = [...(line.match(/(?:\\.|[^\s@:=])+|[@:=]+/g) ?? [])];
    if (/\s$/.test(line)) split.push("");
    const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
    const script = `${bashScript(words(groups))}
COMP_WORDBREAKS=$' \\t\\n"\\'@><=;|&(:'
COMP_LINE=${quote(line)} COMP_POINT=${line.length} COMP_WORDS=(${split.map(quote).join(" ")}) COMP_CWORD=${split.length - 1}
_ojm 2>/dev/null
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"]}`, OJM_STORE: "sqlite:ojm.db" };
    const out = execFileSync("bash", ["--norc", "-c", script], { cwd: folder, encoding: "utf8", env });
    return out.split("\n").filter((word) => word !== "");
  }

  test("completes commands, options and the values that are known", ({ skip }) => {
    skip(!has("bash"), "bash is not installed");
    expect(offered("ojm ru")).toEqual(["run", "runs", "run-now"]);
    expect(offered("ojm runs --st")).toEqual(["--status", "--store"]);
    expect(offered("ojm runs --status fa")).toEqual(["failed"]);
    expect(offered("ojm runs --status=fa")).toEqual(["failed"]);
    expect(offered("ojm help doc")).toEqual(["doctor"]);
    expect(offered("ojm completion ")).toEqual(["bash", "zsh", "fish"]);
    expect(offered("ojm exec a -- --st")).toEqual([]);
    expect(offered("ojm __")).toEqual([]);
    expect(offered("ojm qu")).toEqual(["queue"]);
    expect(offered("ojm queue re")).toEqual(["retry", "redrive", "resume"]);
    expect(offered("ojm queue pause --un")).toEqual(["--until"]);
    expect(offered("ojm queue show q --state de")).toEqual(["delayed", "dead"]);
    expect(offered("ojm queue work q -- ma")).toEqual([]);
  });

  test("completes names and ids, as words of the shell", async ({ skip }) => {
    skip(!has("bash"), "bash is not installed");
    const { record } = await manager.run("my job", () => {});
    await manager.run("$(touch evil)", () => {});
    expect(offered("ojm why my")).toEqual(["my\\ job"]);
    expect(offered("ojm why my\\ jo")).toEqual(["my\\ job"]);
    await using queues = openQueues(manager);
    await queues.add("my queue", 1);
    expect(offered("ojm queue show my")).toEqual(["my\\ queue"]);
    expect(offered("ojm why $")).toEqual(["\\$\\(touch\\ evil\\)"]);
    // Bash keeps the text before the last character at which it splits.
    expect(offered("ojm show my\\ job@2")).toEqual([record.startDate]);
    expect(offered(`ojm show my\\ job@${record.startDate.slice(0, 14)}`)).toEqual([record.startDate.slice(14)]);
    expect(offered("ojm why --store sqlite:nowhere.db my")).toEqual([]);
  });
});

describe("the scripts of other shells", () => {
  // Their completion needs a terminal, or modules of the shell: here it is only read.
  test("zsh reads its script", ({ skip }) => {
    skip(!has("zsh"), "zsh is not installed");
    execFileSync("zsh", ["-f", "-n"], { input: zshScript(words(groups)) });
  });

  test("fish completes commands and values", ({ skip }) => {
    skip(!has("fish"), "fish is not installed");
    const complete = (line: string): string =>
      execFileSync("fish", ["--no-config", "-c", `${fishScript(words(groups))}\ncomplete -C '${line}'`], {
        encoding: "utf8",
      });
    expect(complete("ojm doc")).toMatch(/^doctor\t/);
    expect(complete("ojm runs --status fa")).toMatch(/^failed/);
  });

  test("each has all commands, and none that is hidden", () => {
    for (const script of [zshScript(words(groups)), fishScript(words(groups))]) {
      for (const { name, options } of words(groups)) {
        expect(script).toContain(name.replace(/.* /, ""));
        for (const option of options) expect(script).toContain(option.name);
      }
      expect(script).not.toMatch(/-a __complete|'__complete:/);
    }
  });
});

test("a shell that is not known is named, with those that are", async () => {
  expect(await ojm(folder, "completion", "csh")).toEqual({
    code: 2,
    out: "",
    err: 'ojm: there is no completion for "csh": write bash, zsh or fish\n',
  });
  const { code, out } = await ojm(folder, "completion", "bash");
  expect([code, out]).toEqual([0, bashScript(words(groups))]);
});
