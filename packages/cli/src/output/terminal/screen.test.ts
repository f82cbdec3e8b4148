import { beforeAll, describe, expect, test } from "vitest";
import { prepareWidths } from "../width/width.js";
import { changes } from "./screen.js";

beforeAll(() => prepareWidths());

describe("what is written to a terminal", () => {
  test("the first time is all, behind an empty screen", () => {
    expect(changes(undefined, ["ab", "c"], 10)).toBe("\u001b[2J\u001b[1;1Hab\u001b[K\u001b[2;1Hc\u001b[K");
  });

  test("are only the lines that changed, so that nothing flickers", () => {
    expect(changes(["ab", "c", "d"], ["ab", "x", "d"], 10)).toBe("\u001b[2;1Hx\u001b[K");
    expect(changes(["ab"], ["ab"], 10)).toBe("");
  });

  test("empties the lines that are no longer there", () => {
    expect(changes(["ab", "c"], ["ab"], 10)).toBe("\u001b[2;1H\u001b[K");
  });

  test("does not clear behind a line as wide as the terminal: its last character would go", () => {
    expect(changes([], ["\u001b[31m注文\u001b[39m"], 4)).toBe("\u001b[1;1H\u001b[31m注文\u001b[39m");
  });
});
