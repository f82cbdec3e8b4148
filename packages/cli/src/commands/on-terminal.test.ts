import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { storeIn } from "../testing/store.js";
import { hasTerminals, Terminal } from "../testing/terminal.js";

describe.runIf(hasTerminals())("on a terminal", () => {
  test("Ctrl-C at the question for a reason ends with 130, and nothing is done", async () => {
    const folder = folderWith({});
    const manager = await storeIn(folder);
    const terminal = new Terminal(folder, 100, ["hold", "import", "--store", "sqlite:ojm.db"]);
    await terminal.shows("Why hold import?");
    terminal.type("\u0003");
    expect(await terminal.ended).toBe(130);
    expect(terminal.out).toContain("ojm hold was not given a reason: nothing was done");
    expect(terminal.out).not.toContain("fault of ojm");
    expect(await manager.heldLocks()).toEqual([]);
  });

  test("a misspelt name is rejected without the question for a reason", async () => {
    const folder = folderWith({});
    const run = await (await storeIn(folder)).start("import");
    const wrong = new Terminal(folder, 100, ["cancel", "imprt", "--store", "sqlite:ojm.db"]);
    expect(await wrong.ended).toBe(3);
    expect(wrong.out).toContain('Did you mean "import"?');
    expect(wrong.out).not.toContain("Why cancel");
    const right = new Terminal(folder, 100, ["cancel", "import", "--wait", "1ms", "--store", "sqlite:ojm.db"]);
    await right.shows("Why cancel import?");
    right.type("wrong month\r");
    expect(await right.ended).toBe(8);
    expect(run.signal.reason).toMatchObject({ message: expect.stringContaining("wrong month") });
  });

  test("runs shows the ids of runs, which the next command takes, where the times are relative", async () => {
    const folder = folderWith({});
    const { record } = await (await storeIn(folder)).run("import", () => {});
    const terminal = new Terminal(folder, 80, ["runs", "--store", "sqlite:ojm.db"]);
    expect(await terminal.ended).toBe(0);
    expect(terminal.out).toContain(`${record.id} `);
    expect(terminal.out).toMatch(/ now |\d+ s ago/);
  });

  test("the help of a command fits 40 columns", async () => {
    const terminal = new Terminal(folderWith({}), 40, ["help", "exec"]);
    expect(await terminal.ended).toBe(0);
    const lines = terminal.out.split(/\r?\n/).filter((line) => !line.startsWith("pid "));
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.filter((line) => line.length > 40)).toEqual([]);
  });
});
