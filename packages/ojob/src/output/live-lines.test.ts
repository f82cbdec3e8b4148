import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LiveLines } from "./live-lines.js";
import { HeldLines, prefixText } from "./log.js";

/** The final contents of a terminal, line by line. */
function shown(written: readonly string[]): string[] {
  const lines = [""];
  let row = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal obeys them
  for (const [part] of written.join("").matchAll(/\r|\n|\u001b\[\d*[AJK]|[^\r\n\u001b]+/g)) {
    if (part === "\r") lines[row] = `\r${lines[row]}`;
    else if (part === "\n") lines[++row] ??= "";
    else if (part.endsWith("A")) row -= Number(part.slice(2, -1));
    else if (part === "\u001b[K") lines[row] = "";
    else if (part === "\u001b[J") lines.splice(row, lines.length, "");
    else lines[row] += part;
  }
  return lines;
}

let now = 0;
let written: string[] = [];
let live: LiveLines;
const print = (text: string): void => live.around(text, () => void written.push(text));

function screen(columns = 80, rows = 24): void {
  now = 0;
  written = [];
  const output = { write: (_: number, text: string) => void written.push(text) };
  live = new LiveLines(
    2,
    output,
    () => ({ columns, rows }),
    () => now,
  );
}

beforeEach(() => screen());
afterEach(() => live.close());

const [one, two] = [{}, {}];

describe("the lines of jobs at work", () => {
  test("stay below what is printed, one for each job, and go with it", () => {
    live.set(one, "Import", { done: 250, total: 1_000, text: "rows" });
    print("one\ntwo\n");
    expect(shown(written)).toEqual(["one", "two", "Import 0:00 [#####---------------] 25% 250/1000 rows"]);
    live.set(two, "Other", { done: 7 });
    print("three\n");
    expect(shown(written).slice(-2)).toEqual(["Import 0:00 [#####---------------] 25% 250/1000 rows", "Other 0:00 7"]);
    live.end(one);
    expect(shown(written).at(-1)).toBe("Other 0:00 7");
    live.close();
    expect(shown(written)).toEqual(["one", "two", "three", ""]);
  });

  test("of a job without progress come after a second: a short job draws nothing", () => {
    live.begin(one, "Short");
    print("a\n");
    live.end(one);
    expect(written).toEqual(["a\n"]);
    live.begin(one, "Long");
    now = 65_000;
    live.tick();
    expect(shown(written)).toEqual(["a", "Long 1:05"]);
  });

  test("leave a line alone that is printed in pieces, until its end", () => {
    live.set(one, "A", { done: 1 });
    print("half");
    live.set(one, "A", { done: 2 });
    live.tick();
    expect(shown(written)).toEqual(["half"]);
    print(" whole\n");
    expect(shown(written)).toEqual(["half whole", "A 0:00 2"]);
  });

  test("are no wider than the terminal, with wide characters too, and control characters do nothing", () => {
    screen(12);
    live.set(one, "A\u001b[2J", { done: 5, total: 10, text: "x\n" });
    expect(written.join("")).toHaveLength(11);
    expect(["\u001b", "\n"].some((text) => written.join("").includes(text))).toBe(false);
    screen(12);
    live.set(one, "注文の取り込み", { done: 5 });
    expect(written.join("")).toBe("注文の取り");
  });

  test("leave room for what is printed, and show how many more jobs there are", () => {
    screen(80, 8);
    for (let i = 0; i < 20; i++) live.begin({}, `job ${i}`);
    now = 2_000;
    live.tick();
    expect(shown(written)).toEqual(["job 0 0:02", "job 1 0:02", "job 2 0:02", "… 17 more jobs"]);
  });

  test("a total that is not a total, and more than the total", () => {
    live.set(one, "A", { done: 5, total: 0 });
    expect(shown(written)).toEqual(["A 0:00 5"]);
    screen();
    live.set(one, "A", { done: 15, total: 10 });
    expect(shown(written)).toEqual(["A 0:00 [####################] 100% 15/10"]);
  });
});

describe("a prefix", () => {
  test("stands before whole lines: what is printed in pieces is held until its end", () => {
    const held = new HeldLines();
    expect(held.take("a\nb", false)).toEqual(["a"]);
    expect(held.take("x", true)).toEqual([]);
    expect(held.take("c\n", false)).toEqual(["bc"]);
    expect([...held.rests()]).toEqual([["x", true]]);
    expect([...held.rests()]).toEqual([]);
  });

  test("has the time, the job, or both; a line with its own time has no second one", () => {
    const both = { time: true, job: true };
    expect(prefixText(both, "a\u001b", 0)).toBe("1970-01-01T00:00:00.000Z [a\\u001b] ");
    expect(prefixText(both, "a", undefined)).toBe("[a] ");
    expect(prefixText({ time: true, job: false }, "a", undefined)).toBe("");
  });
});
