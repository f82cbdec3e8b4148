import { describe, expect, test } from "vitest";
import { runText } from "../../testing/run-file.js";
import { PrintedMap } from "./printed-map.js";

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

test("a log of JSON lines is shown as it comes: two maps are no result", () => {
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
