import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alignLogs, type ComparedLine, differingSteps, withoutVarying } from "./compare-logs.js";

const linesOf = (texts: readonly string[]): ComparedLine[] => texts.map((text, i) => ({ text, at: i * 1_000 }));

/** The alignment as text: equal lines, then lines of the first log with `-`, and of the second with `+`. */
function diffOf(a: readonly string[], b: readonly string[]): string[] {
  return alignLogs(linesOf(a), linesOf(b)).flatMap((block) =>
    block.isSame
      ? a.slice(...block.a).map((text) => ` ${text}`)
      : [...a.slice(...block.a).map((text) => `-${text}`), ...b.slice(...block.b).map((text) => `+${text}`)],
  );
}

describe("alignLogs", () => {
  test("takes lines as equal that differ only in numbers, times, ids and colours", () => {
    const a = ["11:02:03 connect to db-1", "job 7f3a-12bc of 40 rows", "\u001b[32mdone\u001b[0m in 3.5 s"];
    const b = ["23:59:01 connect to db-2", "job 00ff-98ab of 41 rows", "done in 12 s"];
    expect(alignLogs(linesOf(a), linesOf(b))).toEqual([{ isSame: true, a: [0, 3], b: [0, 3] }]);
  });

  test("keeps exit codes apart", () => {
    expect(diffOf(["exit code 1"], ["exit code 2"])).toEqual(["-exit code 1", "+exit code 2"]);
  });

  test("finds lines that one log lacks, among lines that repeat", () => {
    expect(diffOf(["begin", "row 1", "row 2", "end"], ["begin", "row 1", "row 2", "row 3", "warn", "end"])).toEqual([
      " begin",
      " row 1",
      " row 2",
      "+row 3",
      "+warn",
      " end",
    ]);
    expect(diffOf(["a", "x", "b", "x", "c"], ["a", "b", "x", "x", "d"])).toEqual([
      " a",
      "-x",
      " b",
      " x",
      "-c",
      "+x",
      "+d",
    ]);
    expect(diffOf([], ["a"])).toEqual(["+a"]);
    expect(diffOf([], [])).toEqual([]);
  });

  test("has each line of both logs once and in order, and takes only equal lines as equal", () => {
    const logs = fc.array(fc.constantFrom("a", "b", "c", "d", "e 1", "e 2"), { maxLength: 40 });
    fc.assert(
      fc.property(logs, logs, (a, b) => {
        let [endA, endB] = [0, 0];
        for (const { isSame, a: inA, b: inB } of alignLogs(linesOf(a), linesOf(b))) {
          expect([inA[0], inB[0]]).toEqual([endA, endB]);
          [endA, endB] = [inA[1], inB[1]];
          if (isSame) expect(a.slice(...inA).map(withoutVarying)).toEqual(b.slice(...inB).map(withoutVarying));
        }
        expect([endA, endB]).toEqual([a.length, b.length]);
      }),
    );
  });

  test("aligns long logs: repeating, without common lines, and with changes everywhere", () => {
    const many = (of: (i: number) => string): string[] => Array.from({ length: 20_000 }, (_, i) => of(i));
    const words = many((i) => `${String.fromCharCode(97 + (i % 26))}${"xyz"[i % 3]} ${"k".repeat(i % 40)}`);
    expect(alignLogs(linesOf(many((i) => `row ${i}`)), linesOf(many((i) => `row ${i}`).slice(9)))).toHaveLength(2);
    expect(alignLogs(linesOf(words), linesOf(many(() => "other")))).toHaveLength(1);
    const changed = words.map((word, i) => (i % 10 === 0 ? "changed" : word));
    const same = alignLogs(linesOf(words), linesOf(changed)).filter(({ isSame }) => isSame);
    expect(same.length).toBeGreaterThan(0);
  });
});

describe("differingSteps", () => {
  test("has the steps between common lines whose durations differ most, in their order", () => {
    const a = { startTime: 0, endTime: 5_000, lines: linesOf(["read 1", "write 2", "check"]) };
    const b = {
      ...{ startTime: 0, endTime: 60_000 },
      lines: [
        { text: "read 3", at: 0 },
        { text: "write 4", at: 40_000 },
        { text: "retry", at: 41_000 },
        { text: "check", at: 42_000 },
      ],
    };
    const steps = (most: number): unknown => differingSteps(alignLogs(a.lines, b.lines), a, b, most);
    expect(steps(2)).toEqual([
      { text: "write 2", a: 1_000, b: 40_000 },
      { a: 3_000, b: 18_000 },
    ]);
    // What differs by less than a fiftieth is chance.
    expect(steps(9)).toHaveLength(2);
    expect(differingSteps(alignLogs(a.lines, a.lines), a, { ...a, endTime: 5_099 }, 9)).toEqual([]);
    expect(differingSteps([], { ...a, endTime: undefined }, b, 2)).toEqual([]);
  });
});
