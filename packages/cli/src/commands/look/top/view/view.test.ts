import type { Retry } from "@ojm/schedule/operator";
import stringWidth from "string-width";
import { beforeAll, describe, expect, test } from "vitest";
import type { KeyPress } from "../../../../output/terminal/keyboard.js";
import { prepareWidths } from "../../../../output/width/width.js";
import type { Running } from "../../ps/running.js";
import type { StoreSnapshot } from "../data/live-store.js";
import { detailsBody } from "./details.js";
import { frame, HELP, helpBody, listBody, targetsOf } from "./frame.js";
import { listLines } from "./list.js";
import { FIRST_LOOK, press, type Target, type Ui } from "./ui.js";

beforeAll(() => prepareWidths());

const NOW = Date.parse("2030-01-01T00:00:00Z");
const plain = (text: string): string => text;

const run = (name: string, more: Partial<Running> = {}): Running => ({
  name,
  startTime: NOW - 61_000,
  startDate: "",
  id: `${name}@x`,
  status: "running",
  holder: { host: "api-1", pid: 4711, instance: "a" },
  trigger: "manual",
  timeout: 3_600_000,
  fence: "12345",
  elapsed: 61_000,
  waiting: 0,
  ...more,
});

const retrying = (name: string, due: number): Retry => ({
  ...{ name, chain: "orders@x", attempt: 2, due, trigger: "manual", timeout: 3_600_000 },
  retry: { attempts: 5, delay: 1_000, backoff: "fixed", maxDelay: 1_000, onLost: false },
});

const HOSTILE = `\u001b]52;c;aGk=\u0007${"注文".repeat(90)}`;

const snapshot = (more: Partial<StoreSnapshot> = {}): StoreSnapshot => ({
  store: `redis://${"x".repeat(90)}`,
  isComplete: true,
  away: undefined,
  processes: 3,
  waiting: 2,
  failed: { count: 4, isMore: false },
  schedules: new Map([
    ["nightly", false],
    ["cleanup", true],
  ]),
  problems: [
    { name: "import", kind: "failed", text: "no \u001b[2J\nroute", at: NOW - 60_000 },
    { name: HOSTILE, kind: "lost", text: HOSTILE, at: NOW - 60_000 },
    { name: "cleanup", kind: "paused", text: "paused by ana: a migration", at: NOW },
  ],
  long: new Set(),
  running: [
    run("import", { progress: { at: 0, done: 3, total: 10, text: "orders" }, usual: { p50: 90_000, p95: 95_000 } }),
    run(HOSTILE),
  ],
  retrying: [],
  next: [{ name: "nightly", due: NOW + 12_000 }],
  ...more,
});

const screen = (shown: StoreSnapshot, ui: Ui, columns: number, rows = 24): string[] => {
  const size = { columns, rows };
  return frame(shown, ui, listBody(shown, ui, NOW, size, plain), NOW, size, plain);
};

describe("the screen of ojm top", () => {
  test.each([20, 40, 80, 160])("of %i columns is not overrun, and shows no control character", (columns) => {
    const prompt = { act: "cancel", text: HOSTILE, target: { id: "", name: HOSTILE, run: HOSTILE } } as const;
    for (const ui of [FIRST_LOOK, { ...FIRST_LOOK, message: HOSTILE }, { ...FIRST_LOOK, prompt }]) {
      const lines = screen(snapshot(), ui, columns);
      expect(lines).toHaveLength(24);
      for (const line of lines) {
        expect(stringWidth(line)).toBeLessThanOrEqual(columns);
        expect(line).not.toMatch(/\p{Cc}/u);
      }
    }
  });

  test("shows problems first, then what runs, then what comes next", () => {
    const text = screen(snapshot(), FIRST_LOOK, 80).join("\n");
    expect(text).toMatch(/PROBLEM[\s\S]*RUNNING[\s\S]*NEXT/);
    expect(text).toContain("2 running, 2 waiting, 4 failed in 1 h, 3 problems, 3 processes");
    expect(text).toMatch(/import +failed +1 min +no \\u001b\[2J route/);
    expect(text).toMatch(/import +1 min 1 s of 1 min 30 s +\[###-------\] 30 %/);
    expect(text).toMatch(/nightly +12 s/);
  });

  test("a run that continues although it was asked to stop is shown with who asked, and why", () => {
    const stopRequest = { at: NOW, by: { host: "h1", pid: 7, instance: "b" }, reason: "wrong month" };
    const shown = snapshot({ problems: [], running: [run("import", { stopRequest }), run("other")] });
    expect(screen(shown, FIRST_LOOK, 80).join("\n")).toMatch(
      /RUNNING +ELAPSED +STOPPING .*\n> import +1 min 1 s +by h1, pid 7: wrong mon….*\n {2}other +1 min 1 s +api-1/,
    );
  });

  test("what waits for its next attempt is shown with its time, and can be cancelled", () => {
    const waits = retrying("orders", NOW - 1);
    const both = [waits, retrying(HOSTILE, NOW + 61_000)];
    const shown = snapshot({ problems: [], running: [], retrying: both });
    const text = screen(shown, FIRST_LOOK, 80).join("\n");
    const marked = (words: string, color?: string): string => (color === "yellow" ? `<${words.trim()}>` : words);
    expect(
      listLines(shown, FIRST_LOOK, NOW, 80, marked)
        .map(({ painted }) => painted)
        .join("\n"),
    ).toMatch(/<orders> +2 of 5/);
    expect(text).toContain("0 running, 2 waiting, 2 retrying");
    expect(text).toMatch(/RETRYING +ATTEMPT +IN +AT\n> orders +2 of 5 +overdue .*\n.* 2 of 5 +1 min 1 s/);
    const targets = targetsOf(listLines(shown, FIRST_LOOK, NOW, 80, plain));
    const key: KeyPress = { name: "c", text: "c", ctrl: false };
    const { ui } = press(FIRST_LOOK, key, { targets, open: undefined, page: 9, isReadOnly: false });
    expect(ui.prompt).toMatchObject({ act: "cancel", target: { name: "orders", chain: "orders@x" } });
  });

  test("why an attempt is made again stands beside it, and what becomes of a tick beside that", () => {
    const waits = { ...retrying("orders", NOW + 61_000), error: "no route" };
    const next = [
      { name: "alone", due: NOW + 12_000, unattended: true as const },
      { name: "held", due: NOW + 13_000, skipped: "held" as const },
      { name: "queued", due: NOW + 14_000, waiting: 2 },
    ];
    const text = screen(snapshot({ problems: [], running: [], retrying: [waits], next }), FIRST_LOOK, 80).join("\n");
    expect(text).toMatch(/orders +2 of 5 .* no route/);
    expect(text).toMatch(
      /alone .* no process runs it now\n.*held .* will be skipped: on hold\n.*queued .* 2 ticks wait before it/,
    );
  });

  test("reading, away, empty and well are four different pictures", () => {
    const none = { problems: [], running: [], retrying: [], next: [] };
    expect(screen(snapshot({ isComplete: false, ...none }), FIRST_LOOK, 80)[1]).toBe("reading the store …");
    expect(screen(snapshot({ away: 12_000 }), FIRST_LOOK, 80)[1]).toMatch(/has not answered for 12 s/);
    expect(screen(snapshot(none), FIRST_LOOK, 80)[3]).toMatch(/nothing runs/);
    expect(screen(snapshot(none), FIRST_LOOK, 80)[1]).toMatch(/no problems/);
  });

  test("a narrow screen leaves out whole counts and whole keys", () => {
    const lines = screen(snapshot(), FIRST_LOOK, 40);
    expect(lines[1]).toBe("2 running, 4 failed in 1 h, 3 problems");
    expect(lines.at(-1)).toBe("q end  ? help  Enter why, log  c cancel");
  });

  test("with many problems, what runs and what comes next stay on the screen, and each row can be reached", () => {
    const names = Array.from({ length: 18 }, (_, i) => `job ${i}`);
    const problems = names.map((name, i) => {
      const text = `no route to ${String.fromCharCode(97 + i)}`;
      return { name, kind: "failed" as const, text, at: NOW };
    });
    const next = Array.from({ length: 12 }, (_, i) => ({ name: `next ${i}`, due: NOW + i * 1_000 }));
    const shown = snapshot({ problems, next });
    const lines = screen(shown, FIRST_LOOK, 80);
    expect(lines).toHaveLength(24);
    expect(lines.join("\n")).toMatch(
      /> job 0 .*\n.*job 1 [\s\S]*… and \d+ more\n\n {2}RUNNING.*\n {2}import .*\n.*\n\n {2}NEXT.*\n {2}next 0 .*\n[\s\S]*… and \d+ more\n/,
    );
    for (const { id, name } of targetsOf(listLines(shown, FIRST_LOOK, NOW, 80, plain))) {
      const selected = screen(shown, { ...FIRST_LOOK, selected: { id, name } }, 80);
      expect(selected.find((line) => line.startsWith("> "))).toContain(name === HOSTILE ? "> " : `> ${name}`);
      expect(selected.join("\n")).toMatch(/PROBLEM[\s\S]*RUNNING[\s\S]*NEXT/);
    }
    const last = screen(shown, { ...FIRST_LOOK, selected: { id: "problem job 17 failed", name: "job 17" } }, 80);
    expect(last.join("\n")).toMatch(/… and \d+ before\n[\s\S]*> job 17 /);
  });

  test("jobs with equal errors have one row, which Enter opens and closes, and which no action changes", () => {
    const failed = ["a", "b", "c"].map((name, i) => {
      return { name, kind: "failed" as const, text: `connect ECONNREFUSED 10.0.3.${i}`, at: NOW - i * 60_000 };
    });
    const shown = snapshot({
      problems: [...failed, { name: "d", kind: "failed", text: "no route", at: NOW - 600_000 }],
      running: [],
    });
    const folded = screen(shown, FIRST_LOOK, 80);
    expect(folded[1]).toContain("4 problems");
    expect(folded.join("\n")).toMatch(/> 3 jobs +failed +2 min +connect ECONNREFUSED 10\.0\.3\.0 *\n {2}d +failed/);
    const pressed = (ui: Ui, text: string, name = ""): ReturnType<typeof press> => {
      const targets = targetsOf(listLines(shown, ui, NOW, 80, plain));
      return press(ui, { name, text, ctrl: false }, { targets, open: undefined, page: 20, isReadOnly: false });
    };
    const { ui, effect } = pressed(FIRST_LOOK, "", "return");
    expect(effect).toBeUndefined();
    expect(screen(shown, ui, 80).join("\n")).toMatch(/> 3 jobs .*\n {2}a .*3\.0\n {2}b .*3\.1\n {2}c .*3\.2\n {2}d /);
    expect(pressed(ui, "j").ui.selected?.name).toBe("a");
    expect(screen(shown, pressed(ui, "", "return").ui, 80)).toEqual(folded);
    for (const key of ["c", "p"])
      expect(pressed(ui, key)).toMatchObject({ ui: { message: "these are 3 jobs. Enter: select one of them" } });
    // A filter leaves one of them: it is a job then.
    expect(screen(shown, { ...FIRST_LOOK, filter: "b" }, 80).join("\n")).toMatch(/> b +failed/);
  });

  test("at 40 columns it shows for how long a run has been running", () => {
    const stopRequest = { at: NOW, by: { host: "h1", pid: 7, instance: "b" }, author: "ana", reason: "wrong month" };
    const name = "reports.monthly.customers";
    const shown = snapshot({
      problems: [],
      running: [
        run(name, { usual: { p50: 90_000, p95: 95_000 } }),
        run("asked", { usual: { p50: 90_000, p95: 95_000 }, stopRequest }),
      ],
    });
    const text = screen(shown, FIRST_LOOK, 40).join("\n");
    expect(text).toMatch(/> reports\..* 1 min 1 s *\n {2}asked +1 min 1 s +by ana/);
  });

  test("with more rows than lines, the selected one is on the screen", () => {
    const running = Array.from({ length: 60 }, (_, i) => run(`job ${i}`));
    const lines = screen(
      snapshot({ running }),
      { ...FIRST_LOOK, selected: { id: "run job 44 ", name: "job 44" } },
      80,
      12,
    );
    expect(lines).toHaveLength(12);
    expect(lines.join("\n")).toContain("> job 44");
  });

  test("a filter leaves the names that have it", () => {
    const names = targetsOf(listLines(snapshot(), { ...FIRST_LOOK, filter: "IMP" }, NOW, 80, plain)).map(
      ({ name }) => name,
    );
    expect(names).toEqual(["import", "import"]);
    expect(screen(snapshot(), { ...FIRST_LOOK, filter: "zzz" }, 80).join("\n")).toContain("no name has this in it");
  });

  test("the help fits 40 columns and 24 lines", () => {
    expect(helpBody({ columns: 40, rows: 24 }).lines).toEqual(HELP);
    expect(HELP.length).toBeLessThanOrEqual(20);
  });
});

describe("the details", () => {
  const log = Array.from({ length: 50 }, (_, i) => ({
    line: i + 1,
    offset: 0,
    at: NOW,
    level: "info" as const,
    text: `line ${i} \u001b[2J`,
  }));
  const details = {
    name: "import",
    reasons: [{ text: "it runs now", help: "ojm logs import -f" }, { text: "x ".repeat(200) }],
    run: run("import"),
    log,
  };
  const body = (ui: Pick<Ui, "view" | "scroll">, columns = 80) =>
    detailsBody(details, ui, { columns, page: 20 }, plain);

  test("show why, and the end of the log, in no more lines than there are", () => {
    const { lines } = body({ view: "details", scroll: 0 });
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(lines.join("\n")).toContain("- it runs now\n  -> ojm logs import -f\n");
    expect(lines.at(-1)).toMatch(/line 49 \\u001b\[2J$/);
    for (const line of body({ view: "details", scroll: 0 }, 40).lines)
      expect(stringWidth(line)).toBeLessThanOrEqual(40);
  });

  test("scroll back to the first line, and no further", () => {
    const { lines, scroll } = body({ view: "log", scroll: Number.POSITIVE_INFINITY });
    expect(lines[1]).toMatch(/line 0 /);
    expect(scroll).toBe(50 - 19);
  });
});

describe("a key", () => {
  const key = (text: string, name = text, ctrl = false): KeyPress => ({ text, name, ctrl });
  const targets: Target[] = [
    { id: "a", name: "a", run: "a@x" },
    { id: "b", name: "b", paused: true },
    { id: "c", name: "c", paused: false },
  ];
  const shown = { targets, open: undefined, page: 10, isReadOnly: false };
  const keys = (ui: Ui, ...all: KeyPress[]): ReturnType<typeof press> =>
    all.reduce<ReturnType<typeof press>>((last, one) => press(last.ui, one, shown), { ui });

  test("of a row that went, another one of its job is selected, and never another job", () => {
    const gone = { ...FIRST_LOOK, selected: { id: "retry b", name: "b" } };
    expect(keys(gone, key("p")).effect).toMatchObject({ type: "resume", target: { name: "b" } });
    const both = { ...FIRST_LOOK, selected: { id: "retry d", name: "d" } };
    expect(keys(both, key("p")).ui.message).toBe("nothing is selected");
    expect(keys(both, key("c")).ui.prompt).toBeUndefined();
    expect(keys(both, key("j")).ui.selected?.id).toBe("a");
  });

  test("moves within the list, and not out of it", () => {
    expect(keys(FIRST_LOOK, key("j")).ui.selected?.id).toBe("b");
    expect(keys(FIRST_LOOK, key("", "down"), key("", "down"), key("", "down")).ui.selected?.id).toBe("c");
    expect(keys(FIRST_LOOK, key("G"), key("", "up"), key("g")).ui.selected?.id).toBe("a");
  });

  test("of a cancel asks for a reason, and without one nothing is done", () => {
    expect(keys(FIRST_LOOK, key("c"), key("n"), key("o"), key("", "return")).effect).toEqual({
      type: "cancel",
      target: targets[0],
      reason: "no",
    });
    const without = keys(FIRST_LOOK, key("c"), key(" "), key("", "return"));
    expect([without.effect, without.ui.message]).toEqual([undefined, "a reason is needed: nothing was done"]);
    expect(keys(FIRST_LOOK, key("c"), key("x"), key("", "escape")).effect).toBeUndefined();
  });

  test("that was typed in a reason is text, whatever it does elsewhere", () => {
    const { ui } = keys(FIRST_LOOK, key("c"), key("q"), key("p"), key("x"), key("", "backspace"));
    expect(ui.prompt?.text).toBe("qp");
  });

  test("pauses a schedule, resumes a paused one, and says so if there is none", () => {
    expect(keys({ ...FIRST_LOOK, selected: { id: "b", name: "b" } }, key("p")).effect).toMatchObject({
      type: "resume",
    });
    expect(keys({ ...FIRST_LOOK, selected: { id: "c", name: "c" } }, key("p")).ui.prompt).toMatchObject({
      act: "pause",
    });
    expect(keys(FIRST_LOOK, key("p")).ui.message).toBe("a has no schedule");
    expect(keys({ ...FIRST_LOOK, selected: { id: "c", name: "c" } }, key("c")).ui.message).toBe("c does not run");
  });

  test("ends it: Ctrl-C from anywhere, q from the list alone", () => {
    expect(keys(FIRST_LOOK, key("q")).effect).toEqual({ type: "end" });
    expect(keys(FIRST_LOOK, key("c"), key("", "c", true)).effect).toEqual({ type: "end" });
    expect(keys({ ...FIRST_LOOK, view: "log" }, key("q")).effect).toEqual({ type: "close" });
  });

  test("in the details acts on the job that is shown", () => {
    const open = targets[0];
    const { ui } = press({ ...FIRST_LOOK, view: "details", selected: { id: "b", name: "b" } }, key("c"), {
      ...shown,
      open,
    });
    expect(ui.prompt?.target).toBe(open);
  });
});
