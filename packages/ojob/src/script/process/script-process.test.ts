import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { plan } from "../../plan/plan.js";
import { load } from "../../testing/load.js";
import { type Ran, runText } from "../../testing/run-file.js";
import type { JobFileError } from "../../text/problem.js";
import { PrintedMap } from "./script-process.js";

/** A job file whose only job, in this language, has this script. */
function inLanguage(lang: string, code: string, more = ""): string {
  const lines = code.split("\n").map((line) => `      ${line}`);
  return ["jobs:", "  - name: Job", `    lang: ${lang}`, more, "    exec: |", ...lines, "todo: [Job]", ""].join("\n");
}

function run(lang: string, code: string, args: Record<string, unknown> = {}, more = ""): Promise<Ran> {
  return runText(inLanguage(lang, code, more), { args });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function isAlive(pid: number): boolean {
  try {
    return !/^\S+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

describe("scripts in shell", () => {
  test("a shell script finds its args as variables and in templates; other templates are left alone", async () => {
    const code = 'echo "$who $n $flag" \'{{who}}\' \'{{.Names}}\'\necho "$list"; echo "[$none]"';
    const { well, out } = await run("shell", code, { who: "a'b", n: 5, flag: true, list: [1, { a: 2 }] });
    expect(well).toBe(false); // the quote of `who` ends the text that the template stands in
    expect(out).toBe("");
    expect((await run("shell", code, { who: "you", n: 5, flag: true, list: [1, { a: 2 }], none: null })).out).toBe(
      'you 5 true you {{.Names}}\n[1,{"a":2}]\n[]\n',
    );
  });

  test("a shell script runs in typeArgs.pwd; a folder that is missing is an error that says so", async () => {
    const folder = folderWith({});
    expect((await run("shell", "pwd", {}, `    typeArgs: { pwd: ${folder} }`)).out).toBe(`${folder}\n`);
    const { well, err } = await run("shell", "pwd", {}, "    typeArgs: { pwd: /no/such/folder }");
    expect(well).toBe(false);
    expect(err).toMatch(/there is no folder \/no\/such\/folder to run the script in/);
  });

  test("typeArgs.shell is the program that reads the script, with its parameters", async () => {
    const bash = "    typeArgs: { shell: /bin/bash -s }";
    const code = 'read -r -a list <<< "a b"; echo "${list[1]} $who {{who}} $BASH_VERSION"\nback=1\n# return back';
    const { out } = await run("shell", code, { who: "you" }, bash);
    expect(out).toMatch(/^b you you \d/);
    const other = await run("ruby", "echo from $0", {}, "    typeArgs: { shell: sh -s }");
    expect([other.well, other.out]).toEqual([true, "from sh\n"]);
    const missing = await run("shell", "x", {}, "    typeArgs: { shell: no-such-shell -s }");
    expect(missing.err).toMatch(/no-such-shell, which is not on the PATH/);
  });

  test("typeArgs.shellPrefix stands in brackets before each line of a shell script, and a map is shown too", async () => {
    const prefix = '    typeArgs: { shellPrefix: "{{who}}" }\n    to: [Next]';
    const code = "echo one; echo two >&2; echo '{\"n\": 7}'";
    const next = '\n  - { name: Next, exec: "print(args.n)" }\ntodo: [Job]';
    const yaml = inLanguage("shell", code, prefix).replace(/\ntodo: \[Job\]/, next);
    const { out, err } = await runText(yaml, { args: { who: "me" } });
    expect([out, err]).toEqual(['[me] one\n[me] {"n": 7}\n7\n', expect.stringMatching(/^\[me\] two$/m)]);
  });

  test("a shell script that ends with another code than 0 fails the job, at the line that the shell names", async () => {
    const plain = await run("shell", "echo out\nexit 3");
    expect(plain.well).toBe(false);
    expect(plain.out).toBe("out\n");
    expect(plain.err).toMatch(/job "Job" failed: the script ended with exit code 3 \(.*jobs\.yaml:6:\d+\)/);
    expect((await run("shell", "echo\nno_such_program")).err).toMatch(/exit code 127 \(.*jobs\.yaml:7:/);
    expect((await run("shell", "kill -9 $$")).err).toMatch(/the script was ended by SIGKILL/);
  });

  test("a shell script loses no line of much output, nor a last one without a line break", async () => {
    const { out, err } = await run("shell", "seq 1 20000; echo oops >&2; printf end");
    expect(out.split("\n").length).toBe(20_002);
    expect(out).toMatch(/\n20000\nend\n$/);
    expect(err).toMatch(/^oops$/m);
  });

  test.each([
    ["gets SIGTERM, with all that it started", 60_000, "trap 'echo told > told; exit 1' TERM", "sleep 1000"],
    ["that does not listen is killed after the grace", 100, "trap '' TERM", "sh -c 'trap \"\" TERM; sleep 1000'"],
  ])("a stopped shell script %s", async (_, grace, trap, child) => {
    const folder = folderWith({});
    const pid = join(folder, "child");
    const code = `${trap}\n${child} &\necho $! > new && mv new child\nwhile :; do wait; done`;
    const { well } = await runText(inLanguage("shell", code, `    typeArgs: { pwd: ${folder} }`), {
      grace,
      onStart: (control) => void until(() => existsSync(pid)).then(() => control.stop("test")),
    });
    expect(well).toBe(false);
    expect(existsSync(join(folder, "told"))).toBe(grace > 1_000);
    expect(isAlive(Number(readFileSync(pid, "utf8")))).toBe(false);
  });

  test("a shell script ends at the timeout of its run, and the processes that it started end with it", async () => {
    const folder = folderWith({});
    const yaml = inLanguage("shell", `sleep 1000 &\necho $! > ${folder}/child\nwait`)
      .replace("jobs:", "include: oJobManager.yaml\njobs:")
      .replace("    lang", "    from: oJobManager Job Start\n    args: { name: m, timeout: 5000 }\n    lang");
    const { well, err } = await runText(yaml);
    expect(well).toBe(false);
    expect(err).toMatch(/took longer than its timeout of 5 s/);
    expect(isAlive(Number(readFileSync(join(folder, "child"), "utf8")))).toBe(false);
  });

  test("a shell script leaves no process running behind its end", async () => {
    const folder = folderWith({});
    const { well } = await run("shell", `sleep 1000 > /dev/null 2>&1 &\necho $! > ${folder}/child`);
    expect(well).toBe(true);
    expect(isAlive(Number(readFileSync(join(folder, "child"), "utf8")))).toBe(false);
  });

  test("a shell script, and what it starts, writes to /dev/stdout and /dev/stderr", async () => {
    const code =
      "echo 1; echo 2 > /dev/stdout; echo 3 | tee /dev/stdout; echo oops > /dev/stderr; echo 4 | tee /dev/stderr";
    const { well, out, err } = await run("shell", code);
    expect({ well, out }).toEqual({ well: true, out: "1\n2\n3\n3\n4\n" });
    expect(err).toMatch(/^oops\n4\n/m);
    const command = 'sh("echo 1 > /dev/stdout; echo 2 > /dev/stderr").stdout == "1\\n" || exit(1)';
    expect(await run("js", command)).toMatchObject({
      well: true,
      out: "1\n",
      err: expect.stringMatching(/^2\n/m),
    });
  });

  test.runIf(existsSync("/proc/self/stat"))(
    "a shell script is over when its group has only zombies left, which may never be reaped",
    async () => {
      const folder = folderWith({});
      const [child, parent] = [join(folder, "child"), join(folder, "parent")];
      // The parent leaves the group and never reaps its child. So does ojm as the first process of a
      // container.
      const code = [
        `(sh -c 'echo $$ > ${child}; sleep 1000' & exec setsid sleep 1000) > /dev/null 2>&1 &`,
        `echo $! > ${parent}; while ! [ -s ${child} ]; do sleep 0.01; done`,
      ].join("\n");
      try {
        expect((await run("shell", code)).well).toBe(true);
        expect(isAlive(Number(readFileSync(child, "utf8")))).toBe(false);
      } finally {
        process.kill(Number(readFileSync(parent, "utf8")), "SIGKILL");
      }
    },
  );
});

describe.each([
  ["node", "print", "console.log(args.n); args.n += 1; args.list = [args.n];"],
  ["python", "print", "print(args['n'])\nargs['n'] += 1\nargs['list'] = [args['n']]"],
])("scripts in %s", (lang, _, code) => {
  test(`a script in ${lang} takes args and hands them on`, async () => {
    const more = "    to: Show";
    const yaml = inLanguage(lang, code, more).replace(
      "jobs:",
      'jobs:\n  - name: Show\n    exec: print(stringify(args, undefined, ""))',
    );
    const { out, err, well } = await runText(yaml, { args: { n: 1, text: "é" } });
    expect({ out, well }, err).toEqual({ out: '1\n{"n":2,"text":"é","list":[2]}\n', well: true });
  });
});

test.each([
  ["node", "let a;\nawait null;\nnothing();", /ReferenceError: nothing is not defined \(.*:8:7\)/],
  ["node", "process.exit(4)", /ended with exit code 4 \(/],
  ["node", "await new Promise(() => {})", /waits for something that can never happen/],
  ["node", "throw 'text'", /failed: text/],
  ["python", "a = 1\ndef f():\n  nothing()\nf()", /NameError: name 'nothing' is not defined \(.*:8:/],
  ["python", "a = (", /SyntaxError: .*:6:/],
  ["python", "import sys\nsys.exit(3)", /ended with exit code 3/],
])("a failing script in %s fails the job, with its error: %s", async (lang, code, message) => {
  const { well, err } = await run(lang, code);
  expect(well).toBe(false);
  expect(err).toMatch(message);
});

test("an unknown language of a script is an error before anything runs", async () => {
  await expect(run("pyton", "x")).rejects.toThrow(
    /jobs\.yaml:3:11: error: .*"pyton"\. The languages are: js, shell, node, python\. Did you mean python\?/,
  );
});

test("a script in a language of OpenAF that ojm lacks is one error, not a syntax error of JavaScript too", async () => {
  for (const lang of ["perl", "ssh", "powershell"]) {
    const error: JobFileError = await run(lang, "my $x = qw(a b); foreach").catch((thrown) => thrown);
    expect(error.problems.map(({ message }) => message)).toEqual([
      `the job "Job" is in "${lang}". The languages are: js, shell, node, python. A script with "lang: shell" can call ${lang}.`,
    ]);
  }
});

test("what OpenAF calls javascript or oaf is JavaScript", async () => {
  for (const lang of ["javascript", "oaf", "js"]) expect((await run(lang, "print(1 + 1)")).out).toBe("2\n");
});

test.each([
  ["python", "import time\nopen('UP', 'w').close()\ntime.sleep(1000)"],
  ["shell", "trap 'exit 3' TERM; touch UP; while :; do sleep 0.01; done"],
  [
    "node",
    "process.once('SIGTERM', () => process.exit(3)); require('fs').writeFileSync('UP', ''); setInterval(() => {}, 1000)",
  ],
])("a script in %s that a stop ends is recorded as cancelled", async (lang, code) => {
  const up = join(folderWith({}), "up");
  const yaml = inLanguage(lang, code.replace("UP", up))
    .replace("jobs:", "include: oJobManager.yaml\njobs:")
    .replace("    lang", "    from: oJobManager Job Start\n    args: { name: m }\n    lang")
    .replace(
      "todo: [Job]",
      [
        "  - name: Tell",
        "    type: shutdown",
        '    exec: const [run] = $ch("oJobManager-jobs").getAll(); print(run.status + " " + run.error)',
        "todo: [Job, Tell]",
      ].join("\n"),
    );
  const { well, out } = await runText(yaml, {
    onStart: (control) => void until(() => existsSync(up)).then(() => control.stop("SIGINT")),
  });
  expect(well).toBe(false);
  expect(out).toBe("cancelled the job was asked to stop: SIGINT\n");
});

async function shell(code: string, args: Record<string, unknown> = {}): Promise<{ out: string; after: unknown }> {
  const lines = code.split("\n").map((line) => `      ${line}`);
  const yaml = [
    "jobs:",
    "  - name: Job",
    "    lang: shell",
    "    exec: |",
    ...lines,
    "    to: Show",
    "    catch: Show",
  ];
  const show = ["  - name: Show", "    exec: |", '      print(stringify(args, undefined, ""))', "todo: [Job]", ""];
  const { out } = await runText([...yaml, ...show].join("\n"), { args });
  const at = out.trimEnd().lastIndexOf("\n") + 1;
  return { out: out.slice(0, at), after: JSON.parse(out.slice(at)) };
}

describe("as OpenAF: a JSON map that a shell script prints is merged into args", () => {
  test.each([
    ["one line", `echo '{"a":{"x":1},"b":[2]}'`, ""],
    [
      "many lines, with text around it",
      `echo start; printf '{\\n"a": {"x": 1},\\n "b": [2]\\n}\\n'; echo end`,
      "start\nend\n",
    ],
    ["without a line break behind it", `printf 'is: {"a":{"x":1},"b":[2]}'`, ""],
  ])("the map is not shown: %s", async (_, code, out) => {
    expect(await shell(code, { a: { y: 0 } })).toEqual({ out, after: { a: { y: 0, x: 1 }, b: [2] } });
  });

  test.each([
    ["a list", "echo '[{\"a\":1}]'"],
    ["two maps", `echo '{"a":1}'; echo '{"a":2}'`],
    ["half a map", `echo '{"a":'; echo end`],
    ["no JSON", "echo '{ a }'"],
    ["a map after a bracket", `echo '[INFO] go'; echo '{"a":1}'`],
    ["a map before a brace", `echo '{"a":1}'; echo '}'`],
  ])("other output is shown and merged into nothing: %s", async (_, code) => {
    const { out, after } = await shell(code);
    expect(out.replaceAll("\n", "")).toBe(
      [...code.matchAll(/echo (?:'([^']*)'|(\w+))/g)].map((m) => m[1] ?? m[2]).join(""),
    );
    expect(after).toEqual({});
  });

  test("the map of a script that fails is in the args of catch", async () => {
    expect(await shell(`echo '{"a":1}'; exit 3`)).toEqual({ out: "", after: { a: 1 } });
  });
});

test("output is shown as it comes, and only what may be the map is held back", () => {
  const output = new PrintedMap();
  expect(output.take("one\ntwo\n")).toBe("one\ntwo\n");
  expect(output.take('{"a": "}",\n')).toBe("");
  expect(output.take('"b": 1}\n')).toBe("");
  expect(output.take("three\n")).toBe("three\n");
  expect(output.end()).toEqual({ map: { a: "}", b: 1 }, shown: "" });
});

test("a log of JSON lines is shown as it comes: two maps are not a result", () => {
  const output = new PrintedMap();
  expect(output.take('{"n":1}\n')).toBe("");
  expect(output.take('{"n":2}\n')).toBe('{"n":1}\n{"n":2}\n');
  expect(output.take('{"n":3}\n')).toBe('{"n":3}\n');
  expect(output.end()).toEqual({ shown: "" });
});

test("more than a megabyte after a brace is output, and is shown", () => {
  const output = new PrintedMap();
  output.take('{"a": [\n');
  expect(output.take(`"${"x".repeat(1 << 20)}",\n`)).toHaveLength(8 + (1 << 20) + 4);
  expect(output.take("]}\n")).toBe("]}\n");
});

function yamlOf(code: string, more = ""): string {
  const lines = code.split("\n").map((line) => `      ${line}`);
  const show = ["  - name: Show", "    exec: |", '      print(stringify(args, undefined, ""))', "todo: [Job]", ""];
  const job = ["jobs:", "  - name: Job", "    lang: shell", more, "    exec: |", ...lines, "    to: Show"];
  return [...job, ...show].join("\n");
}

async function argsAfter(code: string, args: Record<string, unknown> = {}, more = ""): Promise<unknown> {
  const { out, err, well } = await runText(yamlOf(code, more), { args });
  expect(well, err).toBe(true);
  return JSON.parse(out.trimEnd().split("\n").at(-1) ?? "");
}

describe("# return in the last line of a shell script hands variables back, as in OpenAF", () => {
  test.each([
    ["names with blanks", 'a=1\nb="x y"\n# return a , b', { a: "1", b: "x y" }],
    ["behind a command", "a=1; # return a", { a: "1" }],
    [
      "quotes, braces and line breaks",
      `a="it's \\"{}\\""\nb=$(printf '1\\n2')\n# return a,b`,
      { a: `it's "{}"`, b: "1\n2" },
    ],
    ["a variable that is not set", "# return a", { a: "" }],
  ])("%s", async (_, code, after) => {
    expect(await argsAfter(code)).toEqual(after);
  });

  test("other output is shown, and a JSON map in it is merged too", async () => {
    const { out } = await runText(yamlOf(`echo hello; echo '{"a":1,"b":2}'\nb=3\n# return b`));
    expect(out).toBe('hello\n{"a":1,"b":"3"}\n');
  });

  test("only the last line counts", async () => {
    expect(await argsAfter("# return a\na=1\necho '{}'")).toEqual({});
  });

  test("a script that ends before hands nothing back", async () => {
    const { well, out } = await runText(yamlOf("a=1\nexit 3\n# return a", "    catch: Show"));
    expect({ well, out }).toEqual({ well: false, out: "{}\n" });
  });

  test("a name that is none of a variable is an error at its place", () => {
    const { file, problems } = load(yamlOf("a=1\n# return a, $(rm x)"));
    plan(file, {}, problems);
    expect(problems.errors.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`)).toEqual([
      '7:19 the script of "Job" ends with "# return" and "$(rm x)", which is not the name of a variable. Write: # return a, b',
    ]);
  });
});

test("typeArgs.noTemplate leaves the templates in a script as they are written", async () => {
  const code = "echo '{{a}}' '{{#if'";
  const { out } = await runText(yamlOf(code, "    typeArgs: { noTemplate: true }"), { args: { a: 1 } });
  expect(out.split("\n")[0]).toBe("{{a}} {{#if");
  const filled = await runText(yamlOf("echo '{{a}}'", "    typeArgs: { noTemplate: false }"), { args: { a: 1 } });
  expect(filled.out.split("\n")[0]).toBe("1");
});
