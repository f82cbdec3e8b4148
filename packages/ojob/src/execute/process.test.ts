import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { folderWith } from "../testing/folder.js";
import { runText, script } from "../testing/run-file.js";
import { becomeUnique } from "./unique.js";

/** A process that goes on until it is ended. */
function sleeper(code = ""): { pid: number; ended: Promise<unknown> } {
  const child = spawn(process.execPath, ["-e", `${code}; setInterval(() => {}, 1000); process.stdout.write("up")`]);
  onTestFinished(() => void child.kill("SIGKILL"));
  return { pid: child.pid ?? 0, ended: once(child, "exit") };
}

describe("ojob.unique", () => {
  const yaml = (pidFile: string, more = ""): string =>
    `ojob: { unique: { pidFile: ${pidFile}${more} } }\n${script(`log(require("fs").readFileSync("${pidFile}", "utf8").split("\\n")[0])`)}`;

  test("holds the pid file while the jobs run, and leaves nothing behind", async () => {
    const folder = folderWith({});
    expect((await runText(yaml(join(folder, "a.pid")))).lines).toEqual([String(process.pid)]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("refuses while another process has it", async () => {
    const { pid } = sleeper();
    const file = join(folderWith({ "a.pid": `${pid}\n` }), "a.pid");
    const { well, lines, err } = await runText(yaml(file));
    expect({ well, lines }).toEqual({ well: false, lines: [] });
    expect(err).toMatch(new RegExp(`this job file is running already: pid ${pid} \\(`));
    expect(readFileSync(file, "utf8")).toBe(`${pid}\n`);
  });

  test("with killPrevious ends the process before", async () => {
    const { pid, ended } = sleeper('process.on("SIGTERM", () => process.exit(0))');
    const file = join(folderWith({ "a.pid": `${pid}\n` }), "a.pid");
    expect((await runText(yaml(file, ", killPrevious: true"))).lines).toEqual([String(process.pid)]);
    await ended;
  });

  test("is not blocked by a process that is gone, by a pid that is used again, or by rubbish", async () => {
    const { pid, ended } = sleeper();
    process.kill(pid, "SIGKILL");
    await ended;
    const folder = folderWith({});
    const file = join(folder, "a.pid");
    const letGo = await becomeUnique({ pidFile: file }, 0);
    const own = readFileSync(file, "utf8");
    letGo();
    const usedAgain = own.replace(/"started":"\d+"/, '"started":"1"');
    for (const text of [`${pid}\n`, usedAgain, "", "rubbish"]) {
      writeFileSync(file, text);
      expect((await runText(yaml(file))).lines).toEqual([String(process.pid)]);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is one process at a time, however many want to be it, with files left behind by those that died", async () => {
    const folder = folderWith({ "a.pid": "999999999\n" });
    const path = fileURLToPath(new URL("./unique.child.ts", import.meta.url));
    const run = promisify(execFile);
    const child = (): ReturnType<typeof run> =>
      run(process.execPath, ["--import", "tsx", "--conditions=@ojm/source", path, folder, "20"]);
    const outputs = await Promise.all([child(), child(), child(), child()]);
    expect(outputs.map(({ stdout, stderr }) => `${stdout}${stderr}`)).toEqual(["", "", "", ""]);
    expect(readdirSync(folder)).toEqual(["a.pid"]);
  });

  test("whose pid file cannot be written says so", async () => {
    expect((await runText(yaml("/no/such/a.pid"))).err).toMatch(/the pid file \/no\/such\/a\.pid cannot be written/);
  });
});

test("ojob.channels.create opens channels before the first job; one that cannot be opened keeps all from running", async () => {
  const yaml = (config: string): string =>
    `ojob: { channels: { create: [{ name: mine, ${config} }] } }\n${script('$ch("mine").set("a", 1); log($ch("mine").get("a"))')}`;
  expect((await runText(yaml("type: simple"))).lines).toEqual(["1"]);
  const { well, lines, err } = await runText(yaml("args: { nosuch: 1 }"));
  expect({ well, lines }).toEqual({ well: false, lines: [] });
  expect(err).toMatch(/the channel "mine" of ojob\.channels cannot be opened: .*no option "nosuch"/);
});

test("ojob.catch runs once for each job that failed, after its own catch, and may fail itself", async () => {
  const yaml = `ojob: { catch: "log('any: ' + job.name + ' ' + exception.message + ' ' + args.n); nothing()" }
jobs:
  - { name: Inner, exec: "throw new Error('inner')" }
  - { name: A, from: Inner, catch: "log('own')", args: { n: 1 } }
  - { name: B, exec: "throw new Error('b')", args: { n: 2 } }
  - { name: C, exec: "log('c')" }
todo: [A, B, C]
`;
  const { well, lines } = await runText(yaml);
  expect(well).toBe(false);
  expect(lines).toEqual(["own", "any: A inner 1", "any: B b 2", "c"]);
  await expect(runText("ojob: { catch: 'a b' }\njobs: [{ name: A }]\ntodo: [A]\n")).rejects.toThrow(/syntax error/);
  expect(existsSync("ojob.pid")).toBe(false);
});
