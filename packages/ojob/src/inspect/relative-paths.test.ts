import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { checkJobFile } from "../index.js";
import { runText } from "../testing/run-file.js";

/** A job in JavaScript whose `pwd` is the folder `sub`. */
function withPwd(code: string, more = ""): string {
  const lines = code.split("\n").map((line) => `      ${line}`);
  return ["jobs:", "  - name: A", "    typeArgs: { pwd: sub }", more, "    exec: |", ...lines, "todo: [A]", ""].join(
    "\n",
  );
}

const FILES = { "sub/a.txt": "a", "sub/deep/b.txt": "b", "lib.js": "function where() { return __ojm.pwd }" };

describe("typeArgs.pwd of a job in JavaScript", () => {
  test("sh() runs there, and its own directory begins there", async () => {
    const code =
      'print(sh("ls", { quiet: true }).stdout.trim()); print(sh("ls", { directory: "deep", quiet: true }).stdout.trim())';
    expect((await runText(withPwd(code), {}, FILES)).out).toBe("a.txt\ndeep\nb.txt\n");
  });

  test("job.pwd is that folder, and for functions of files under loads __ojm.pwd", async () => {
    const yaml = `ojob: { loads: lib.js }\n${withPwd("print([job.pwd, where()].join())")}`;
    const { out, folder } = await runText(yaml, {}, FILES);
    expect(out).toBe(`${join(folder, "sub")},${join(folder, "sub")}\n`);
    const other = yaml.replace("typeArgs: { pwd: sub }", "deps: []");
    expect((await runText(other, {}, FILES)).out).toBe(`${process.cwd()},${process.cwd()}\n`);
  });

  test("require begins at the job file, as always", async () => {
    const code = 'print(require("./m.js"))';
    expect((await runText(withPwd(code), {}, { ...FILES, "m.js": "module.exports = 'm'" })).out).toBe("m\n");
  });

  test("the code of a catch runs there too, and the script of a step in the folder of that job alone", async () => {
    const yaml = `jobs:
  - { name: A, typeArgs: { pwd: sub }, from: S, exec: throw 1, catch: "print(sh('ls', { quiet: true }).stdout.trim())" }
  - { name: S, exec: print(job.pwd) }
todo: [A]
`;
    expect((await runText(yaml, {}, FILES)).out).toBe(`${process.cwd()}\na.txt\ndeep\n`);
  });

  test("a folder that is missing fails the job", async () => {
    const { well, err } = await runText(withPwd("print('ran')"));
    expect(well).toBe(false);
    expect(err).toMatch(/there is no folder \/.*\/sub to run the script in/);
  });

  test.each([
    ["require('fs').readFileSync('a.txt')", '"a.txt"'],
    ["const { readFile } = require('node:fs/promises'); await readFile('./a')", '"./a"'],
    ["const fs = await import('node:fs'); fs.createReadStream(`a-${args.x}`)", '"a-"'],
    ["require('path').resolve(process.cwd(), 'a')", "process.cwd()"],
  ])("a path that does not follow it is warned of: %s", async (code, path) => {
    const { warnings } = await checkJobFile(join(folderWith({ ...FILES, "jobs.yaml": withPwd(code) }), "jobs.yaml"));
    expect(warnings.map(({ message }) => message)).toEqual([
      `"pwd" of "A" has no effect on ${path} in JavaScript, which uses the working directory of the process. Write path.join(job.pwd, …).`,
    ]);
    expect(warnings[0]?.at?.line).toBe(6);
  });

  test.each([
    ["an absolute path", "require('fs').readFileSync('/etc/hosts')"],
    ["job.pwd", "require('fs').readFileSync(require('path').join(job.pwd, 'a'))"],
    ["a method of something else", "const list = { open() {} }; list.open('a')"],
  ])("no warning for %s", async (_, code) => {
    const folder = folderWith({ ...FILES, "jobs.yaml": withPwd(code) });
    expect((await checkJobFile(join(folder, "jobs.yaml"))).warnings).toEqual([]);
  });

  test("no warning in another language, whose process runs there", async () => {
    const yaml = withPwd("require('fs').readFileSync('a.txt')", "    lang: node");
    expect((await checkJobFile(join(folderWith({ ...FILES, "jobs.yaml": yaml }), "jobs.yaml"))).warnings).toEqual([]);
  });
});
