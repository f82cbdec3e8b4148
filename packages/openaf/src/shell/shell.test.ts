import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { expressions, run } from "../testing/run.js";

test("$sh runs commands and returns what they wrote", async () => {
  const folder = folderWith({ "a.txt": "x" });
  const wanted = {
    '$sh("echo out; echo err >&2; exit 3").get(0)': {
      stdout: "out\n",
      stderr: "err\n",
      exitcode: 3,
      cmd: "echo out; echo err >&2; exit 3",
    },
    '$sh("echo 1").sh("echo 2").get().map(r => r.stdout)': ["1\n", "2\n"],
    '$sh("cat", "from here").get(0).stdout': "from here",
    '$sh(["printf", "%s|", "a b", "$HOME"]).get(0).stdout': "a b|$HOME|",
    '$sh("ls").pwd(args.folder).get(0).stdout': "a.txt\n",
    '$sh("echo $A-$HOME").envs({ A: 1, PATH: getEnv("PATH") }).get(0).stdout': "1-\n",
    '$sh("echo $A-$HOME").envs({ A: 1 }, true).get(0).stdout': `1-${process.env["HOME"] ?? ""}\n`,
    '$sh("echo log; echo \'{\\"a\\": 1}\'").getJson(0).stdout': { a: 1 },
    '$sh("echo a: 1").getYaml(0).stdout': { a: 1 },
    "$sh(\"echo '(a: 1)'\").getJsSlon(0).stdout": { a: 1 },
    '$sh("false").sh("echo no").exit(r => r.exitcode === 0).get().length': 1,
    '$sh("sleep 60").timeout(50).get(0).exitcode > 0': true,
    '$sh("true").mkdir(args.folder + "/m").rm(args.folder + "/m").get(0).exitcode': 0,
    '$sh("true").dontWait(true)': expect.stringMatching(/^thrown \$sh waits for a command here/),
    '$sh("true").cb(() => 1)': expect.stringMatching(/^thrown \$sh calls no function/),
    'sh("echo hi")': "hi\n",
    'sh("cat; exit 2", "in", undefined, false, args.folder, true)': { stdout: "in", stderr: "", exitcode: 2 },
    'sh("pwd", undefined, undefined, false, args.folder).trim()': folder,
    'sh("echo ours", { quiet: true }).stdout': "ours\n",
    '(sh("exit 4"), global.__exitcode)': 4,
  };
  expect(await expressions(wanted, { folder })).toEqual(wanted);
});

test("$sh shows what a command writes with exec, and by lines with a prefix", async () => {
  const { out, err } = await run(`const r = $sh("echo shown; echo e >&2").exec(0);
print(r.exitcode + "[" + r.stdout + "]");
print("got " + $sh("printf 'a\\nb'").prefix("p").get(0).stdout);
$sh("echo x").prefix("p", "<{{prefix}}> ").get();
$sh("echo hidden").get();`);
  expect(out).toBe("shown\n0[]\n[p] a\n[p] b\ngot a\nb\n<p> x\n");
  expect(err).toContain("e\n");
});

test("processes are looked at and ended", async () => {
  const wanted = {
    "[pidCheck(getPid()), pidCheck(99999999), pidKill(99999999)]": [true, false, false],
    "getNumberOfCores() > 0": true,
    '[getEnvsDef("OJM_NONE", undefined, "d"), getEnvsDef("PATH", "own")]': ["d", "own"],
  };
  expect(await expressions(wanted)).toEqual(wanted);
});
