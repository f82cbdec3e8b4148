import { expect, test } from "vitest";
import { ProgressLine } from "./progress-line.js";

/** What a terminal shows in the end, line by line. */
function shown(written: readonly string[]): string[] {
  const lines = [""];
  for (const part of written
    .join("")
    .replaceAll("\r\u001b[K", "\0")
    .split(/([\0\n])/)) {
    if (part === "\n") lines.push("");
    else lines[lines.length - 1] = part === "\0" ? "" : lines.at(-1) + part;
  }
  return lines;
}

function line(width = 80): { progress: ProgressLine; written: string[]; print: (text: string) => void } {
  const written: string[] = [];
  const progress = new ProgressLine(2, { write: (_, text) => void written.push(text) }, () => width);
  return { progress, written, print: (text) => progress.around(text, () => void written.push(text)) };
}

test("a bar stays below what is printed, and goes with its job", () => {
  const { progress, written, print } = line();
  progress.set("Import", { done: 250, total: 1_000, text: "rows" });
  print("one\ntwo\n");
  expect(shown(written)).toEqual(["one", "two", "Import [#####---------------] 25% 250/1000 rows"]);
  progress.set("Other", { done: 7 });
  print("three\n");
  expect(shown(written).at(-1)).toBe("Import [#####---------------] 25% 250/1000 rows | Other 7");
  progress.set("Import", undefined);
  expect(shown(written).at(-1)).toBe("Other 7");
  progress.close();
  expect(shown(written)).toEqual(["one", "two", "three", ""]);
});

test("a line that is printed in pieces is left alone until its end", () => {
  const { progress, written, print } = line();
  progress.set("A", { done: 1 });
  print("half");
  progress.set("A", { done: 2 });
  expect(shown(written)).toEqual(["half"]);
  print(" whole\n");
  expect(shown(written)).toEqual(["half whole", "A 2"]);
});

test("it is no wider than the terminal, and control characters do nothing", () => {
  const { progress, written } = line(12);
  progress.set("A\u001b[2J", { done: 5, total: 10, text: "x\n" });
  expect(written.join("")).toHaveLength(11);
  expect(["\u001b", "\n"].some((text) => written.join("").includes(text))).toBe(false);
});

test("a total that is no total, and more than the total", () => {
  const { progress, written } = line();
  progress.set("A", { done: 5, total: 0 });
  expect(shown(written)).toEqual(["A 5"]);
  const other = line();
  other.progress.set("A", { done: 15, total: 10 });
  expect(shown(other.written)).toEqual(["A [####################] 100% 15/10"]);
});
