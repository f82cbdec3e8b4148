import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkJobFile, dryRun, openManagerOf } from "../index.js";
import { type Ran, runText } from "../testing/run-file.js";

const VALUE = "hunter2-hunter2";

beforeEach(() => {
  process.env["OJM_TEST_SECRET"] = VALUE;
});
afterEach(() => {
  delete process.env["OJM_TEST_SECRET"];
});

const FROM_ENV = "ojob: { secrets: { pin: { env: OJM_TEST_SECRET } } }";

/** A job file whose job gets the secret `pin`, and has this script. */
function withPin(code: string, more = "", ojob = FROM_ENV): string {
  const lines = code.split("\n").map((line) => `      ${line}`);
  return [ojob, "jobs:", "  - name: A", "    secrets: pin", more, "    exec: |", ...lines, "todo: [A]", ""].join("\n");
}

/** Runs a file, and expects that the output nowhere contains the value. */
async function hidden(yaml: string, files: Record<string, string> = {}, args = {}): Promise<Ran> {
  const ran = await runText(yaml, { args }, files);
  expect(ran.out + ran.err).not.toContain(VALUE);
  return ran;
}

describe("a job gets the secrets that it requests", () => {
  test("as an argument, which no caller replaces, and in which no template is filled", async () => {
    process.env["OJM_TEST_SECRET"] = "{{x}} ${PATH}";
    const { out } = await runText(withPin("print(args.pin.length + args.pin.slice(0, 3))"), { args: { pin: "other" } });
    expect(out).toBe("13{{x\n");
  });

  test("under another name, or as a variable of the environment alone", async () => {
    const yaml = `${FROM_ENV}
jobs:
  - name: A
    secrets: [{ name: pin, arg: other }, { name: pin, env: PIN }]
    exec: |
      const count = sh("echo $PIN | wc -c", { quiet: true }).stdout.trim();
      print([args.other.length, args.pin, getEnv("PIN").length, count].join(" "));
  - { name: B, exec: "print([args.other, args.pin, getEnv('PIN')].join())" }
  - { name: C, lang: shell, secrets: { name: pin, env: PIN }, exec: "echo \${#PIN} \${#pin}" }
todo: [A, B, C]
`;
    expect((await hidden(yaml)).out).toBe("15  15 16\n,,\n15 0\n");
  });

  test("in its own arguments by templates: the password of a store", async () => {
    const yaml = withPin("print(args.url.length)", '    args: { url: "redis://:{{pin}}@host" }');
    expect((await hidden(yaml)).out).toBe("29\n");
  });

  test("in no other job: a step's secrets are for that step, and shareArgs and $job hand none on", async () => {
    const yaml = `ojob: { shareArgs: true, secrets: { pin: { env: OJM_TEST_SECRET } } }
jobs:
  - { name: A, from: S, exec: "print(['A', args.pin, args.x].join())" }
  - { name: S, secrets: pin, exec: "args.x = args.pin.length" }
  - { name: B, secrets: pin, exec: "print(args.pin.length)" }
  - { name: C, exec: "print(['C', args.pin, $job('B').pin].join())" }
todo: [A, B, C]
`;
    expect((await hidden(yaml)).out).toBe("A,,15\n15\n15\nC,,\n");
  });

  test("from a file beside the job file, without the line break at its end", async () => {
    const yaml = withPin("print(args.pin.length)", "", "ojob: { secrets: { pin: { file: s/pin } } }");
    expect((await hidden(yaml, { "s/pin": `${VALUE}\n` })).out).toBe("15\n");
  });

  test("from a variable that stands in an envFile", async () => {
    const yaml = withPin("print(args.pin)", "", "ojob: { envFile: a.env, secrets: { pin: { env: PIN } } }");
    expect((await hidden(yaml, { "a.env": `PIN=${VALUE}\n` })).out).toBe("***\n");
  });
});

describe("the value of a secret is never shown", () => {
  test("in what scripts log and print, whole or in pieces, as JSON, URL and base64", async () => {
    const code = `log(args.pin); logErr({ a: args.pin }); print("x " + args.pin); console.error(args.pin);
printnl(args.pin.slice(0, 5)); sleep(1); printnl(args.pin.slice(5)); print();
process.stdout.write(args.pin.slice(0, 9)); print(args.pin.slice(9));
print(encodeURIComponent(args.pin)); print(Buffer.from("user:" + args.pin).toString("base64"));`;
    const { out, err } = await hidden(withPin(code));
    expect(out).toMatch(/\| INFO {2}\| \*\*\*\nx \*\*\*\n\*\*\*\n\*\*\*\n\*\*\*\n.{0,8}\*\*\*.{0,4}\n$/);
    expect(err).toMatch(/ERROR \| \{\n {2}"a": "\*\*\*"/);
    expect(out).not.toContain(Buffer.from(VALUE).toString("base64").slice(0, 8));
  });

  test.each([
    ["shell", 'printf "%s" "hunter2-"; sleep 0.05; printf "%s\\n" "hunter2"; echo "$pin" >&2'],
    ["node", "process.stdout.write(args.pin.slice(0, 4)); await null; console.log(args.pin.slice(4))"],
    ["python", "import sys\nsys.stdout.write(args['pin'][:6])\nsys.stdout.flush()\nprint(args['pin'][6:])"],
  ])("in the output of a script in %s, though it comes in pieces", async (lang, code) => {
    expect((await hidden(withPin(code, `    lang: ${lang}`))).out).toBe("***\n");
  });

  test("in a very long line of a process, wherever the line is cut", async () => {
    const code =
      'head -c 65530 /dev/zero | tr "\\\\0" x; printf "%s" "$pin"; head -c 65530 /dev/zero | tr "\\\\0" y; echo';
    const { out } = await hidden(withPin(code, "    lang: shell"));
    expect(out.replace(/x+/, "x").replace(/y+/, "y")).toBe("x***y\n");
  });

  test("in what sh shows; the script itself gets the value", async () => {
    const code =
      "const { stdout } = sh('printf hunter2-; sleep 0.05; echo hunter2'); print(stdout.trim() === args.pin)";
    expect((await hidden(withPin(code))).out).toBe("***\ntrue\n");
  });

  test("in logArgs, under its name and within other arguments", async () => {
    const ojob = "ojob: { logArgs: true, secrets: { pin: { env: OJM_TEST_SECRET } } }";
    const more = '    args: { url: "https://a:{{pin}}@h/x", note: "a {{pin}}", list: ["{{pin}}"] }';
    const { out } = await hidden(withPin("log(1)", more, ojob));
    expect(out).toMatch(
      /args of "A": \{"pin":"\*\*\*","url":"https:\/\/a:\*\*\*@h\/x","note":"a \*\*\*","list":\["\*\*\*"\]\}/,
    );
  });

  test("in errors of scripts and of checks, in catch, and in the reason of a skip", async () => {
    expect((await hidden(withPin("throw new Error('bad ' + args.pin)"))).err).toMatch(/failed: bad \*\*\*/);
    expect((await hidden(withPin("throw args.pin"))).err).toMatch(/failed: \*\*\*/);
    expect((await hidden(withPin("job.skip('no ' + args.pin)"))).err).toMatch(/skipped, no \*\*\*/);
    const checks = "    check: { in: { pin: isNumber, other: isNumber } }\n    args: { other: 'x {{pin}}' }";
    expect((await hidden(withPin("log(1)", checks))).err).toMatch(/"pin" must be a number: "\*\*\*"/);
    const caught = withPin("throw new Error(args.pin)", "    catch: log(exception.message + stringify(args))");
    expect((await hidden(caught)).lines.join()).toMatch(/\*\*\*/);
  });

  test("in the log files and in JSON lines", async () => {
    const folder = join(folderWith({}), "logs");
    const ojob = `ojob: { log: { format: json }, logToFile: { logFolder: ${folder} }, secrets: { pin: { env: OJM_TEST_SECRET } } }`;
    const { out } = await hidden(withPin("log('a ' + args.pin)", "", ojob));
    expect(JSON.parse(out)).toMatchObject({ message: "a ***" });
    const [name = ""] = readdirSync(folder);
    expect(JSON.parse(readFileSync(join(folder, name), "utf8"))).toMatchObject({ message: "a ***" });
  });

  test("in the records of runs; a lock name that holds one is refused", async () => {
    const SHOW =
      "const all = $ch('oJobManager-jobs').getAll().filter(({ name }) => name.startsWith('secret-')); print([all.length, all[0]?.error === 'bad ***'].join())";
    const yaml = (name: string, code: string): string =>
      `include: oJobManager.yaml\n${withPin(code, `    from: oJobManager Job Start\n    args: { name: "${name}" }`)}`.replace(
        "todo: [A]",
        `  - { name: Show, exec: "${SHOW}" }\ntodo: [A, Show]`,
      );
    expect((await hidden(yaml("secret-1", "throw new Error('bad ' + args.pin)"))).out).toBe("1,true\n");
    expect((await hidden(yaml("secret-2", "job.skip('bad ' + args.pin)"))).out).toBe("2,true\n");
    const { well, out, err } = await hidden(yaml("secret-{{pin}}", "print('ran')"));
    expect([well, out]).toEqual([false, "2,true\n"]);
    expect(err).toMatch(/the name of the lock contains a secret/);
  });

  test("in a dry run, which shows the names of variables and secrets", async () => {
    const yaml = withPin("log(1)", '    env: { V: shown }\n    args: { url: "x:{{pin}}" }');
    const text = await dryRun(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"));
    expect(text).toMatch(/ {5}env {8}V\n {5}secrets {4}pin\n {5}args {7}\{"pin":"\*\*\*","url":"x:\*\*\*"\}/);
    expect(text).not.toMatch(/hunter2|shown/);
  });

  test("in errors of the file itself: a channel type that holds one", async () => {
    const job = "{ name: A, secrets: pin, args: { chJobs: { type: 'a{{pin}}' } }, to: oJobManager Init }";
    const failed = runText(`include: oJobManager.yaml\n${FROM_ENV}\njobs:\n  - ${job}\ntodo: [A]\n`);
    await expect(failed).rejects.toThrow(/\*\*\*/);
    await expect(failed).rejects.not.toThrow(VALUE);
  });
});

describe("a secret that is missing is an error before anything starts, which names the variable or the file", () => {
  const withSecret = (from: string): string => withPin("print('ran')", "", `ojob: { secrets: { pin: ${from} } }`);

  test.each([
    [
      "{ env: OJM_TEST_NONE }",
      /jobs\.yaml:1:20: error: the secret "pin" is missing: the variable OJM_TEST_NONE of the environment is not set\./,
    ],
    ["{ file: s/pin }", /jobs\.yaml:1:33: error: the secret "pin" is missing: there is no file s\/pin beside /],
    ["{ file: empty }", /the secret "pin" is missing: the file \/.*\/empty is empty\./],
    ["{ file: large }", /the file \/.*\/large is too large to be a secret/],
    ["{ env: A, file: b }", /the secret "pin" has both "env" and "file"/],
    ["{ }", /"pin" has no "env"\./],
  ])("%s", async (from, message) => {
    const files = { empty: "\n", large: "x".repeat(70_000) };
    await expect(runText(withSecret(from), {}, files)).rejects.toThrow(message);
    await expect(dryRun(join(folderWith({ ...files, "jobs.yaml": withSecret(from) }), "jobs.yaml"))).rejects.toThrow(
      message,
    );
  });

  test("ojm check, which may run elsewhere, takes the file as it is", async () => {
    const folder = folderWith({ "jobs.yaml": withSecret("{ env: OJM_TEST_NONE }") });
    expect((await checkJobFile(join(folder, "jobs.yaml"))).warnings).toEqual([]);
  });

  test("a look at the history needs the secrets of the store, and no others", async () => {
    const yaml = (requested: string): string => `include: oJobManager.yaml
ojob: { secrets: { pin: { env: OJM_TEST_NONE }, file: { env: OJM_TEST_FILE } } }
jobs:
  - name: Init
    secrets: ${requested}
    args: { chJobs: { type: simple }, chLocks: { type: simple } }
    to: oJobManager Init
todo: [Init]
`;
    const open = (requested: string): Promise<unknown> =>
      openManagerOf(join(folderWith({ "jobs.yaml": yaml(requested) }), "jobs.yaml"), {}, async () => {});
    await expect(open("[pin]")).rejects.toThrow(/the secret "pin" is missing: the variable OJM_TEST_NONE/);
    const manager = (await open("[]")) as { close(): Promise<void> };
    await manager.close();
  });

  test.each([
    ["secrets: pni", /3:25: error: there is no secret "pni"\. Did you mean "pin"\?/],
    ["secrets: pin, args: { pin: 1 }", /"A" has "pin" under "args" and as a secret/],
    ["secrets: { name: pin, env: a-b }", /"a-b" cannot be the name of a variable/],
    ["secrets: { name: pin, env: V }, env: { V: 1 }", /"A" has "V" under "env" and as a secret/],
  ])("a job with %s is refused", async (more, message) => {
    const yaml = `${FROM_ENV}\njobs:\n  - { name: A, ${more}, exec: print(1) }\ntodo: [A]\n`;
    await expect(runText(yaml)).rejects.toThrow(message);
  });
});

describe("what is warned of", () => {
  const warningsOf = async (yaml: string, files: Record<string, string> = {}, mode = 0o600): Promise<string[]> => {
    const folder = folderWith({ "jobs.yaml": yaml, ...files });
    for (const name of Object.keys(files)) chmodSync(join(folder, name), mode);
    const { warnings } = await checkJobFile(join(folder, "jobs.yaml"));
    return warnings.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
  };

  test("a file that every user can read, as ssh does", async () => {
    const yaml = withPin("log(1)", "", "ojob: { secrets: { pin: { file: pin } } }");
    expect(await warningsOf(yaml, { pin: VALUE }, 0o644)).toEqual([
      expect.stringMatching(
        /^1:33 every user of this machine can read the secret "pin": the mode of \/.*\/pin is 0644\. chmod 600 it\.$/,
      ),
    ]);
    for (const mode of [0o600, 0o640]) expect(await warningsOf(yaml, { pin: VALUE }, mode)).toEqual([]);
  });

  test("a template that puts a secret on the command line of a shell", async () => {
    const yaml = withPin('echo 1\ncurl -u {{pin}} "$pin"', "    lang: shell");
    expect(await warningsOf(yaml)).toEqual([
      expect.stringMatching(
        /^8:15 the template puts the secret "pin" on the command line of the shell.* Write "\$pin" instead\.$/,
      ),
    ]);
  });
});

describe("shortcuts beside env and secrets", () => {
  test("they have the environment of their job, and what they show of its secrets is masked", async () => {
    const yaml = `${FROM_ENV}
jobs:
  - name: A
    secrets: pin
    env: { V: job }
    args: { v: "\${V}" }
    from:
      - (log): 'log {{pin}} {{v}} {{$env "V"}}'
      - (debug): null
      - { (pass): { p: "\${V} {{pin}}" }, ((debug)): true }
      - { (if): 'args.p == "job " + args.pin && getEnv("V") == "job"', ((then)): { name: B, args: { w: "\${V}" } } }
      - (parallel): [{ (print): '{{$env "V"}} {{pin}}' }]
      - { name: B, args: { w: "step \${V}" } }
    to: { (output): args, ((format)): json }
  - { name: B, exec: "print([args.w, getEnv('V'), args.pin, args.pin.length].join())" }
todo: [A, { (print): "{{pin}}." }]
`;
    const { out, err, well } = await hidden(yaml);
    expect(well, err).toBe(true);
    expect(out).toMatch(/log \*\*\* job job\n/);
    // The shortcut calls B, which then runs again as a step of A.
    const printed = ["job,,***,15", "job ***", "step job,job,***,15", '{"pin":"***","v":"job","p":"job ***"}', "."];
    expect(out.split("\n").filter((line) => !line.includes(" | "))).toEqual(expect.arrayContaining(printed));
  });

  test("what (secget) reads is masked in all forms, also from a variable of the job", async () => {
    const yaml = `ojob: { env: { KEY: "a\\"${VALUE}" } }
jobs:
  - name: A
    from: { (secget): KEY, ((secEnv)): true, ((secOut)): key }
    exec: |
      print(args.key); print(JSON.stringify(args)); log(encodeURIComponent(args.key));
      throw new Error(args.key);
todo: [A]
`;
    const { out, err, well } = await hidden(yaml);
    expect(well).toBe(false);
    expect(out).toMatch(/^\*\*\*\n\{"key":"\*\*\*"\}\n.* \| \*\*\*\n/);
    expect(err).toContain('job "A" failed: ***');
  });

  test("a dry run shows steps with their args' limits, shortcuts and locks, and no secret", async () => {
    const folder = folderWith({
      "jobs.yaml": `${FROM_ENV}
include: oJobManager.yaml
jobs:
  - name: A
    secrets: pin
    env: { V: job }
    from:
      - { name: Lock, args: { name: "of-\${V}" }, timeout: 500 }
      - { (if): args.x, ((then)): [B] }
  - { name: Lock, to: oJobManager Job Start }
  - { name: B, exec: print(1) }
todo: [A, { (todo): [B] }]
`,
    });
    const text = await dryRun(join(folder, "jobs.yaml"));
    expect(text).toMatch(
      /steps +Lock \(at most 500 ms\), \(if\) args\.x \[then: B\]\n +lock +of-job\n +env +V\n +secrets +pin\n/,
    );
    expect(text).toMatch(/2\. \(todo\).*\n +steps +\(todo\) \[B\]\n/);
    expect(text).not.toContain(VALUE);
  });
});
