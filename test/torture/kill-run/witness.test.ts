import { expect, it } from "vitest";
import { lineOf, linesOf, overlapsOf, type WitnessLine } from "./witness.js";

const line = (run: string, what: WitnessLine["what"] = "beat", name = "all"): WitnessLine => ({
  what,
  name,
  run,
  pid: 1,
});

it("bodies whose lines are together did not overlap, even if one was killed without a last line", () => {
  expect(overlapsOf([line("a", "enter"), line("a"), line("b", "enter"), line("b"), line("b", "done")])).toEqual([]);
});

it("bodies of two jobs may run at once", () => {
  expect(overlapsOf([line("a"), line("b", "enter", "none"), line("a", "done"), line("b", "done", "none")])).toEqual([]);
});

it("a body that writes after another one began has overlapped it", () => {
  expect(overlapsOf([line("a", "enter"), line("b", "enter"), line("a"), line("b", "done")])).toEqual([
    "beat of a of 1, after b of 1 had begun",
    "done of b of 1, after a of 1 had begun",
  ]);
});

it("a line of a replica that added an item is not of a body", () => {
  const added = { ...line("", "added", "item"), pid: 2 };
  expect(overlapsOf([line("a", "enter", "item"), added, line("a", "done", "item")])).toEqual([]);
});

it("a line that was cut by a kill is left out", () => {
  const text = `${lineOf(line("a"))}${lineOf(line("b")).slice(0, 12)}`;
  expect(linesOf(text)).toEqual([line("a")]);
});
