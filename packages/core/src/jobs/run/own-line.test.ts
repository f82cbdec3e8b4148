import { beforeEach, expect, test } from "vitest";
import { type Handover, OwnLine, OwnLines, type Turn } from "./own-line.js";

class Left implements Handover {
  isKept = true;
  givenUp = 0;
  giveUp(): void {
    this.givenUp++;
  }
}

let line: OwnLine<Left>;

beforeEach(() => {
  line = new OwnLine();
});

const never = new AbortController().signal;

const enter = (name: string, over = never): Promise<Turn<Left> | undefined> => line.enter(name, over);

test("the runs of a process take turns in order of arrival, and get what the one before left", async () => {
  const first = await enter("a");
  const others = ["b", "c"].map((name) => enter(name));
  expect(line.names).toEqual(["b", "c"]);
  const left = new Left();
  first?.end(left);
  const second = await others[0];
  expect(second?.given).toBe(left);
  // It gave up: the third run must begin by itself.
  second?.end(undefined);
  const third = await others[1];
  expect(third?.given).toBeUndefined();
  expect(line.isEmpty).toBe(false);
  third?.end(left);
  expect(line.isEmpty).toBe(true);
  expect(left.givenUp).toBe(1);
});

test("what is outdated is given up, and no run gets it", async () => {
  const first = await enter("a");
  const other = enter("b");
  const left = new Left();
  left.isKept = false;
  first?.end(left);
  expect((await other)?.given).toBeUndefined();
  expect(left.givenUp).toBe(1);
});

test("a run that gives up its wait, before or at its turn, does not stop the others", async () => {
  const first = await enter("a");
  const over = new AbortController();
  const impatient = enter("b", over.signal);
  const last = enter("c");
  over.abort();
  expect(await impatient).toBeUndefined();
  expect(await enter("d", over.signal)).toBeUndefined();
  const left = new Left();
  first?.end(left);
  expect((await last)?.given).toBe(left);
});

test("a line that no run uses is forgotten, and one in use is not", async () => {
  const lines = new OwnLines<Left>();
  const used = lines.of("smtp");
  const turn = await used.enter("a", never);
  const idle = lines.of("other");
  expect(lines.of("smtp")).toBe(used);
  expect(lines.of("other")).not.toBe(idle);
  turn?.end(undefined);
});
