import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { given } from "../testing/given.js";
import { colorOf, painter } from "./color.js";
import { itemsText } from "./items.js";

const ESCAPE = "\u001b";
const { isTTY } = process.stdout;
const { NO_COLOR, TERM } = process.env;

beforeEach(() => {
  process.stdout.isTTY = true;
  delete process.env["NO_COLOR"];
  process.env["TERM"] = "xterm";
});

afterEach(() => {
  process.stdout.isTTY = isTTY;
  for (const [name, value] of Object.entries({ NO_COLOR, TERM })) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

const isColored = async (...words: readonly string[]): Promise<boolean> =>
  painter(await given("runs", ...words))("failed", "red").includes(ESCAPE);

test("colors are for terminals, unless NO_COLOR or a dumb one", async () => {
  expect(await isColored()).toBe(true);
  process.env["NO_COLOR"] = "1";
  expect(await isColored()).toBe(false);
  process.env["NO_COLOR"] = "";
  expect(await isColored()).toBe(true);
  process.env["TERM"] = "dumb";
  expect(await isColored()).toBe(false);
  process.env["TERM"] = "xterm";
  process.stdout.isTTY = false;
  expect(await isColored()).toBe(false);
});

test("--color counts more than the terminal and the environment", async () => {
  expect(await isColored("--color", "never")).toBe(false);
  process.stdout.isTTY = false;
  process.env["NO_COLOR"] = "1";
  expect(await isColored("--color", "always")).toBe(true);
  await expect(isColored("--color", "red")).rejects.toThrow('--color is one of auto, always, never, not "red"');
});

test("colors change no width, and there is none in JSON", async () => {
  const items = [{ status: "failed" }, { status: "completed" }, { status: "other" }];
  const columns = [
    { title: "STATUS", cell: ({ status }: { status: string }) => status, color: colorFor },
    { title: "NEXT", cell: () => "x" },
  ];
  const colored = await itemsText(await given("runs", "--color", "always"), items, columns, "");
  const plain = await itemsText(await given("runs", "--color", "never"), items, columns, "");
  expect(stripVTControlCharacters(colored)).toBe(plain);
  expect(colored.split("\n")[2]).toBe(`${ESCAPE}[31mfailed${ESCAPE}[39m     x`);
  expect(await itemsText(await given("runs", "--color", "always", "--json"), items, columns, "")).not.toContain(ESCAPE);
});

function colorFor({ status }: { readonly status: string }): ReturnType<typeof colorOf> {
  return colorOf(status);
}
