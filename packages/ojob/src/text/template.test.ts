import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tsArgs } from "@ojm/testing/programs";
import { describe, expect, test } from "vitest";
import { runText, script } from "../testing/run-file.js";
import { fill, wrongTemplate } from "./template.js";

const data = { n: 1, on: true, off: false, list: ["a", "b"], map: { x: 1 }, html: "<b>", items: [{ n: 2 }, { n: 3 }] };

/** The result of `templify(…)` in a script, with these data. */
async function templified(template: string): Promise<string> {
  const { out, err } = await runText(script("print(templify(args.template, args.data))"), { args: { template, data } });
  return out.replace(/\n$/, "") + err.replace(/^(?:>>|<<) .*\n/gm, "");
}

describe("as OpenAF: templify is Handlebars", () => {
  test.each([
    ["{{#if on}}yes{{else}}no{{/if}} {{#if off}}yes{{else}}no{{/if}}", "yes no"],
    ["{{#each items}}{{@index}}:{{n}},{{/each}}", "0:2,1:3,"],
    ["{{#unless off}}u{{/unless}}{{#with map}}{{x}}{{/with}}", "u1"],
    ["{{html}} {{{html}}} {{#if on}}{{html}}{{/if}}", "&lt;b&gt; <b> &lt;b&gt;"],
    ["{{html}} {{{html}}}{{none}}", "&lt;b&gt; <b>"],
    ["{{{list}}} {{{map}}} {{#if on}}{{{list}}}{{{map}}}{{/if}}", '["a","b"] {"x":1} ["a","b"]{"x":1}'],
    ["{{! a remark }}x\\{{y}}", "x{{y}}"],
    ["{{n}} \\{{n}} \\{{{n}}}", "1 {{n}} {{{n}}}"],
    ["\\{{n}}", "{{n}}"],
    ['{{{$stringifyInLine map}}} {{$nvl none "z"}} {{$len list}} {{$concat "a" "b"}}{{$nl}}', '{"x":1} z 2 ab\n'],
    ['{{#$switch n}}{{#$case "1"}}one{{/$case}}{{$default "else"}}{{/$switch}}', "one"],
    ['{{#$switch n}}{{#$case "2"}}two{{/$case}}{{$default "else"}}{{/$switch}}', "else"],
    ["{{#each ($range 3)}}{{this}}{{/each}}", "123"],
    ["{{#if on}}[{{map.constructor}}{{map.__proto__}}{{list.constructor.name}}]{{/if}}", "[]"],
  ])("%s", async (template, text) => {
    expect(await templified(template)).toBe(text);
  });

  test("an unknown helper is an error that names it", async () => {
    expect(await templified('{{$oafp "x"}}')).toMatch(/Missing helper: "\$oafp"/);
  });
});

describe("as OpenAF: blocks in args and in scripts of other languages", () => {
  const yaml = (lang: string, code: string): string => `jobs:
  - name: Job
    lang: ${lang}
    args:
      text: "{{#if on}}is {{html}} & {{none}}{{/if}}, {{none}}"
    exec: |
      ${code.replaceAll("\n", "\n      ")}
todo: [Job]
`;

  test.each([
    ["shell", "echo '{{#each items}}{{n}} {{/each}}{{{html}}} {{html}} {{none}} {{$env \"OJM_TEST_X\"}}'"],
    ["python", "print('{{#each items}}{{n}} {{/each}}{{{html}}} {{html}} {{none}} {{$env \"OJM_TEST_X\"}}')"],
    ["node", "console.log('{{#each items}}{{n}} {{/each}}{{{html}}} {{html}} {{none}} {{$env \"OJM_TEST_X\"}}')"],
  ])("the templates of a script in %s are Handlebars, and nothing in them is escaped", async (lang, code) => {
    process.env["OJM_TEST_X"] = "env";
    const { out, err } = await runText(yaml(lang, code), { args: data });
    expect(
      out.split("\n").filter((line) => !line.includes(" | WARN")),
      err,
    ).toEqual(["2 3 <b> <b> {{none}} env", ""]);
  });

  test("the templates of args are Handlebars too, and a template without a value is reported and stays", async () => {
    const { out, lines } = await runText(yaml("js", "print(args.text)"), { args: data });
    expect(out).toMatch(/\nis <b> & , \{\{none\}\}\n$/);
    expect(lines).toEqual(['nothing fills {{none}} in the argument "text" of the job "Job".']);
  });

  test("templates of other programs stay as they are", () => {
    const code =
      "docker ps --format '{{.Names}}' {{range $p, $c := .X}}{{$p}}{{$x := 1}}{{end}} {{ printf \"%s\" .a }}";
    expect(fill(` ${code}`, data, () => {})).toBe(` ${code}`);
  });

  test("\\{{ is {{ in args and in scripts, as in OpenAF", async () => {
    expect(fill("\\{{n}} {{n}} \\{{.Names}}", data, () => {})).toBe("{{n}} 1 {{.Names}}");
    const { out } = await runText(yaml("shell", "echo '\\{{n}}' {{n}}"), { args: data });
    expect(out).toContain("{{n}} 1\n");
  });

  test.each([
    ["js", "1", /jobs\.yaml:5:13: error: the template in "text" cannot be filled: in line 1, .* \\\{\{ for/],
    ["shell", "echo {{#if a}}", /jobs\.yaml:7:\d+: error: the template in the script of "Job" cannot be filled/],
    ["shell", "echo {{#if ($nope 1)}}x{{/if}}", /jobs\.yaml:7:12: error: .* there is no helper "\$nope"/],
  ])("a template that cannot be filled is an error before anything starts: %s %s", async (lang, code, message) => {
    const text = yaml(lang, code).replace("{{/if}}, {{none}}", lang === "js" ? "" : "{{/if}}");
    await expect(runText(text, { args: data })).rejects.toThrow(message);
  });
});

test("the line of a wrong template is reported", () => {
  expect(wrongTemplate("a\n{{#if a}}\n{{/each}}")?.line).toBe(2);
  expect(wrongTemplate("{{#if a}}\n{{nope 1}}{{/if}}")).toEqual({
    message: 'there is no helper "nope" for templates',
    line: 2,
  });
});

test("a run without blocks and helpers does not load Handlebars", () => {
  const template = pathToFileURL(join(import.meta.dirname, "template.ts")).href;
  const code = `import { fill } from ${JSON.stringify(template)};
import { createRequire } from "node:module";
const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((name) => name.includes("handlebars"));
console.log(fill("a {{n}} {{.Names}}", { n: 1 }, () => {}), loaded(), fill("{{#if n}}b{{/if}}", { n: 1 }), loaded());`;
  const parameters = [...tsArgs(), "--input-type=module", "-e", code];
  expect(execFileSync(process.execPath, parameters, { encoding: "utf8" })).toBe("a 1 {{.Names}} false b true\n");
});
