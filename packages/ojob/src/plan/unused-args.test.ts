import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import type { Args } from "../load/job-file.js";
import { prepareJobFile } from "../prepare.js";

/** The warnings about unused arguments, of a job file that is run with these arguments. */
async function warnings(yaml: string, args: Args, more: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const folder = folderWith({ "jobs.yaml": yaml, ...more });
  const { warnings: found } = await prepareJobFile(join(folder, "jobs.yaml"), { args, purpose: "run" });
  const messages = found.map(({ message }) => message.replace(`${folder}/`, ""));
  return messages.filter((message) => message.includes("of the command line"));
}

const job = (code: string, more = ""): string =>
  `jobs:\n  - name: A\n    ${more}exec: |\n${code.replace(/^/gm, "      ")}\ntodo: [A]\n`;

const unused = (name: string, hint = ""): string =>
  `no job of jobs.yaml uses the argument "${name}" of the command line.${hint}`;

describe("an argument of the command line that no job uses", () => {
  test.each([
    ["a script", job("print('hello ' + args.who)")],
    ["a script, by its key", job('print(args["who"], args?.["a"])')],
    ["a script that takes single arguments", job("const { who, a = 1 } = args;\nprint(who)")],
    ["a template", job("print(1)", "args: { text: 'hello {{who}}' }\n    ")],
    ["a variable", job("print(1)", "args: { text: 'hello $" + "{who:-you}' }\n    ")],
    ["a check", job("print(1)", "check: { in: { who: isString.default('you') } }\n    ")],
    ["the help", `help: { expects: [{ name: who }] }\n${job("print(1)")}`],
    ["a shortcut", "todo:\n  - (optionOn): who\n    ((todos)): { you: [{ (print): you }] }\n"],
    ["the condition of an item", "jobs: [{ name: A }]\ntodo: [{ name: A, when: return args.who === 1 }]\n"],
  ])("is a warning with the nearest argument, which is used by %s", async (_, yaml) => {
    expect(await warnings(yaml, { whom: "Ann" })).toEqual([unused("whom", ' Did you mean "who"?')]);
    expect(await warnings(yaml, { who: "you" })).toEqual([]);
  });

  test("each one is named, without its value, and without a hint if no argument is near", async () => {
    const found = await warnings(job("print(args.who)"), { month: "secret", wo: 1, who: 2 });
    expect(found).toEqual([unused("month"), unused("wo", ' Did you mean "who"?')]);
    expect(await warnings(job("print(1)"), { who: 1 })).toEqual([unused("who")]);
  });

  test("an argument that a job of the job manager takes is used", async () => {
    const yaml = "include: [oJobManager.yaml]\njobs:\n  - name: A\n    from: oJobManager Job Start\ntodo: [A]\n";
    expect(await warnings(yaml, { name: "a", timeout: 1_000, tiemout: 2_000 })).toEqual([unused("tiemout")]);
  });

  test("the texts of included files and of files with a script count", async () => {
    const more = {
      "more.yaml": "jobs: [{ name: B, exec: print(args.included) }]\n",
      "script.js": "print(args.fromFile)\n",
    };
    const yaml = "include: [more.yaml]\njobs: [{ name: A, typeArgs: { file: script.js } }]\ntodo: [A, B]\n";
    expect(await warnings(yaml, { included: 1, fromFile: 2, none: 3 }, more)).toEqual([unused("none")]);
  });

  test("is an error with strict, and the file does not run", async () => {
    const file = join(folderWith({ "jobs.yaml": job("print(args.who)") }), "jobs.yaml");
    const options = { args: { whom: 1 }, purpose: "run", strict: true } as const;
    await expect(prepareJobFile(file, options)).rejects.toThrow(/error: no job of .* uses the argument "whom"/);
  });
});

describe("an argument of the command line that the file does not name is no warning if a job may use it", () => {
  test.each([
    ["a script takes all arguments", job("print(stringify(args))")],
    ["a script passes them on", job("$job('B', { args })")],
    ["a script chooses between them and others", job("const all = 1 ? args : {};")],
    ["a script computes the name", job("for (const key of ['a']) print(args[key])")],
    ["a script computes the name as a template", job(`print(args[\`a$${"{1}"}\`])`)],
    ["a script takes the rest of them", job("const { who, ...more } = args;\nprint(more)")],
    ["a script takes a field of another name", job("const { [key]: it } = args;\nprint(it)")],
    ["a script evaluates text", job("print(eval('ar' + 'gs'))")],
    ["a script reads its parameters", job("print(arguments[0])")],
    ["the args of an item are code that takes all", "jobs: [{ name: A }]\ntodo: [{ name: A, args: args }]\n"],
    ["a shell passes them on as variables", job("./report.sh", "lang: shell\n    ")],
    ["a script is in Python", job("print(args)", "lang: python\n    ")],
    ["a template shows all data", job("print(1)", "args: { text: '{{$stringify this}}' }\n    ")],
    ["a template shows all data by a dot", job("print(1)", "args: { text: '{{#each .}}x{{/each}}' }\n    ")],
    ["a shortcut shows them", "todo: [{ (debug): '' }]\n"],
    ["a shortcut stores them", "todo: [{ (set): all }]\n"],
    ["another job file gets them", "jobs: [{ name: A, type: jobs, typeArgs: { file: b.yaml } }]\ntodo: [A]\n"],
  ])("%s", async (_, yaml) => {
    expect(await warnings(yaml, { month: 11 }, { "b.yaml": "todo: []\n" })).toEqual([]);
  });
});
