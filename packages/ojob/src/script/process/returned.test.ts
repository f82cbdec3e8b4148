import { describe, expect, test } from "vitest";
import { plan } from "../../plan/plan.js";
import { load } from "../../testing/load.js";
import { runText } from "../../testing/run-file.js";

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
      '7:19 the script of "Job" ends with "# return" and "$(rm x)", which is no name of a variable. Write: # return a, b',
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
