import type { Key, Run } from "@ojm/core";
import type { Locator, Page } from "playwright-core";
import { expect, it, test } from "vitest";
import { saysError } from "../web/src/screens/runs/log/error-words.js";
import { countLines } from "../web/src/screens/runs/log/heights.js";
import { typeReason, violationsOf } from "./support/browser.js";
import { describePages } from "./support/describe-pages.js";

const LINES = 6_000;

/** Window sizes of notebooks and screens, in px. */
const WINDOWS = [
  [1280, 720],
  [1366, 768],
  [1440, 900],
  [1536, 864],
  [1920, 1080],
] as const;

test("the lines of a log are counted without those that are missing", () => {
  const line = (n: number) => ({ line: n, offset: 0, at: 0, level: "info", text: "" }) as const;
  const missing = (lines: number) => ({ missing: { lines, bytes: 0 } });
  expect(countLines([])).toEqual({ lines: 0, missing: 0 });
  // The end of a log is read first: its line numbers show how many lines come before.
  expect(countLines([{ loading: true }, line(400), line(401)])).toEqual({ lines: 401, missing: 0 });
  expect(countLines([missing(10), line(11), missing(4), line(16), { missing: "unknown" }])).toEqual({
    lines: 2,
    missing: 14,
  });
  expect(countLines([line(1), missing(7)])).toEqual({ lines: 1, missing: 7 });
});

test.each([
  ["error: no route to host", true],
  ["Error: no such file", true],
  ["3 errors", true],
  ["exit 1 (FATAL)", true],
  ["panic: index out of range", true],
  ['Exception in thread "main"', true],
  ["Traceback (most recent call last):", true],
  ["error: 0x80070005", true],
  ["0 errors, but a fatal one", true],
  ["10 errors", true],
  ["0 errors", false],
  ["errors: 0, warnings: 2", false],
  ["error=0", false],
  ['{"error":null,"rows":7}', false],
  ["no error", false],
  ["ended without errors", false],
  ["terrors and errorless texts", false],
])("the line %j speaks of an error: %s", (text, is) => {
  expect(saysError(text)).toBe(is);
});

describePages("a long log", { tags: ["full"] }, (pages) => {
  /** The path of a run with more lines than one answer has, all of them stored. */
  const written = async (): Promise<string> => {
    const { record } = await pages.mount.manager.run("copy", ({ log }) => {
      for (let line = 1; line <= LINES; line++) log.info(`line ${line}: copied a row of the table`);
    });
    return `runs/${encodeURIComponent(record.id)}`;
  };

  /** Waits until all lines are read, above and below the visible part. */
  const whole = (page: Page): Promise<void> =>
    expect.poll(() => page.evaluate('document.querySelector(".lines .all")?.offsetHeight')).toBe(LINES * 20);

  it("marks its errors beside the scrollbar, each at its place, and those that are close by one mark", async () => {
    const { record } = await pages.mount.manager.run("copy", ({ log }) => {
      for (let line = 1; line <= 1_000; line++) {
        if (line === 250 || line > 990) log.error(`row ${line} is damaged`);
        else log.info(`row ${line} is copied`);
      }
    });
    const page = await pages.open(`runs/${encodeURIComponent(record.id)}`);
    const places = (): Promise<number[]> =>
      page
        .locator(".marks i")
        .evaluateAll((marks) =>
          marks.map((mark) => Number.parseFloat((mark as unknown as { style: { top: string } }).style.top)),
        );
    await expect.poll(async () => (await places()).length, { timeout: 60_000 }).toBe(3);
    const [first = 0, ...last] = await places();
    expect(Math.abs(first - 25)).toBeLessThan(1);
    for (const place of last) expect(place).toBeGreaterThanOrEqual(99);
    expect(await violationsOf(page)).toEqual([]);
  });

  it("has its marks within its box if it is short, and opens at its error without moving the page", async () => {
    const { record } = await pages.mount.manager.start("copy").then(async (run) => {
      for (let line = 1; line <= 9; line++) run.log.info(`row ${line} is copied`);
      run.log.error("no route");
      return { record: await run.fail(new Error("no route")) };
    });
    const page = await pages.open(`runs/${encodeURIComponent(record.id)}`);
    await page.locator(".marks i").waitFor();
    const [mark, box] = [await page.locator(".marks i").boundingBox(), await page.locator(".lines").boundingBox()];
    expect((mark?.y ?? 0) + (mark?.height ?? 0)).toBeLessThanOrEqual((box?.y ?? 0) + (box?.height ?? 0));
    await page.setViewportSize({ width: 390, height: 600 });
    await page.reload();
    await page.locator(".marks i").waitFor();
    expect(await page.evaluate("scrollY")).toBe(0);
  });

  it("is searched for an expression and for errors, and lines are chosen together", async () => {
    const { record } = await pages.mount.manager.run("copy", ({ log }) => {
      for (let line = 1; line <= 300; line++)
        if (line === 90 || line === 210) log.error(`part ${line} timed out`);
        else log.info(`line ${line}: ${line === 150 ? "request timed out, 2 errors" : "copied"}`);
    });
    const page = await pages.open(`runs/${encodeURIComponent(record.id)}#L1`);
    const current = page.locator(".line[data-current=true]");
    for (const text of ["part 90 ", "line 150: ", "part 210 ", "part 90 "]) {
      await page.getByRole("button", { name: "Next error" }).click();
      await current.getByText(text).waitFor();
    }
    const shown = page.locator(".line .at");
    const level = page.getByRole("combobox", { name: "Level" });
    await level.selectOption("Errors");
    await expect.poll(() => shown.allTextContents()).toEqual(["90", "150", "210"]);
    await page.getByRole("button", { name: "Next error" }).click();
    await current.getByText("part 90 ").waitFor();
    await level.selectOption("All lines");
    await page.getByRole("link", { name: "Line 91", exact: true }).waitFor();
    const field = page.getByRole("searchbox", { name: "Search the log" });
    await field.fill("/part \\d+ TIMED|request.+out/");
    await page.getByText("1 of 3").waitFor();
    await field.press("Enter");
    await current.locator("mark").getByText("request timed out").waitFor();
    await field.fill("/part (/");
    await page.getByRole("status").getByText("not a regular expression").waitFor();
    await page.getByRole("link", { name: "Line 148" }).click();
    await page.getByRole("link", { name: "Line 152" }).click({ modifiers: ["Shift"] });
    expect(page.url()).toMatch(/#L148-L152$/);
    const chosen = page.locator(".line[data-chosen=true]");
    await expect.poll(() => chosen.count()).toBe(5);
    await page.reload();
    await expect.poll(() => chosen.count()).toBe(5);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy for chat" }).click();
    await page.getByText("copied the result").waitFor();
    const copied = String(await page.evaluate("navigator.clipboard.readText()")).split("\n");
    expect(copied).toHaveLength(24);
    expect([copied[0], copied[2], copied.at(-1)]).toEqual([
      expect.stringMatching(/^copy: completed at 20.*Z, .*, pid \d+$/),
      "line 281: copied",
      page.url().replace(/#.*/, ""),
    ]);
  });

  it("has an address of each line, which leads to it", async () => {
    const path = await written();
    for (const line of [3, 500, 3_000, LINES - 100]) {
      const page = await pages.open(`${path}#L${line}`);
      await whole(page);
      const chosen = page.locator(".line[data-chosen=true]");
      await chosen.getByText(`line ${line}: `).waitFor();
      const [own, box] = await Promise.all([chosen.boundingBox(), page.locator(".lines").boundingBox()]);
      expect(own?.y).toBeGreaterThanOrEqual(box?.y ?? 0);
      expect((own?.y ?? 0) + 20).toBeLessThanOrEqual((box?.y ?? 0) + (box?.height ?? 0));
      await page.close();
    }
  });

  it("shows its end first, and stays there while what is above it comes", async () => {
    const page = await pages.open(await written());
    await whole(page);
    await page.locator(".line").getByText(`line ${LINES}: `).waitFor();
  });

  it("counts its lines without those that are missing", async () => {
    const path = await written();
    const logs = await pages.mount.manager.channel("oJobManager-logs");
    const chunks: Key[] = [];
    for await (const { key } of logs.keys({ prefix: ["copy"] }))
      if (typeof (key as readonly unknown[])[2] === "number") chunks.push(key);
    await logs.unset(chunks.at(-2) as Key);
    const page = await pages.open(path);
    const count = page.getByRole("region", { name: "Log" }).locator(".count");
    await count.getByText("missing").waitFor();
    const [present = 0, missing = 0] = ((await count.textContent()) ?? "").replaceAll(",", "").match(/\d+/g) ?? [];
    expect(Number(missing)).toBeGreaterThan(0);
    expect(Number(present) + Number(missing)).toBe(LINES);
  });

  /** How far the lower edge of a line is from the lower edge of the window, in px. */
  const below = async (page: Page, line: Locator): Promise<number> => {
    const box = await line.boundingBox();
    if (box === null || box.y < 0) return Number.POSITIVE_INFINITY;
    return box.y + box.height - (page.viewportSize()?.height ?? 0);
  };

  it("fills the window at every size, and its last line, a linked one and one that is found are in it", async () => {
    const page = await pages.open(await written());
    await whole(page);
    const inWindow = (line: Locator): Promise<void> => expect.poll(() => below(page, line)).toBeLessThanOrEqual(0);
    const last = page.locator(".line").filter({ hasText: `line ${LINES}: ` });
    const chosen = page.locator(".line[data-chosen=true]");
    const field = page.getByRole("searchbox", { name: "Search the log" });
    for (const [width, height] of WINDOWS) {
      await page.setViewportSize({ width, height });
      await page.evaluate("document.querySelector('.lines').scrollTop = 1e9");
      await inWindow(last);
      const rest = -(await below(page, page.locator(".lines")));
      expect(rest, `below the log at ${width} x ${height}`).toBeLessThan(60);
      expect(rest).toBeGreaterThanOrEqual(0);
      await page.evaluate(`location.hash = "#L${LINES - height}"`);
      await chosen.getByText(`line ${LINES - height}: `).waitFor();
      await inWindow(chosen);
      await field.fill(`line ${height}:`);
      await page.locator(".line[data-current=true]").getByText(`line ${height}: `).waitFor();
      await inWindow(page.locator(".line[data-current=true]"));
      await field.fill("");
    }
    // A narrow page scrolls: the selected line is brought into view.
    await page.setViewportSize({ width: 800, height: 300 });
    await page.evaluate("scrollTo(0, 0)");
    await page.evaluate('location.hash = "#L77"');
    await chosen.getByText("line 77: ").waitFor();
    await inWindow(chosen);
  });

  it("of a run that failed opens at its first error, with a button that runs the job again", async () => {
    const { manager, scheduler } = pages.mount;
    let id = "";
    const failing = async (name: string): Promise<void> => {
      const body = (run: Run): never => {
        id = run.id;
        for (let line = 1; line <= 900; line++)
          if (line === 200 || line === 700) run.log.error(`error of line ${line}`);
          else run.log.info(`line ${line}`);
        throw new Error("the partner does not answer\n".repeat(30));
      };
      await manager.run(name, body, { retry: { attempts: 2, delay: 1 } }).catch(() => {});
    };
    await scheduler.add("import", { cron: "0 2 * * *" }, () => {});
    await failing("import");
    const page = await pages.open(`runs/${encodeURIComponent(id)}`);
    await page.setViewportSize({ width: 1280, height: 720 });
    await page.reload();
    const error = page.locator(".line").filter({ hasText: "error of line 200" });
    await expect.poll(() => below(page, error)).toBeLessThanOrEqual(0);
    expect(await violationsOf(page)).toEqual([]);
    // Below 1200 px, the column beside the log moves below it.
    await page.setViewportSize({ width: 1100, height: 720 });
    const edge = await page.locator(".lines").boundingBox();
    const attempts = await page.getByRole("region", { name: "Attempts" }).boundingBox();
    expect((attempts?.y ?? 0) - (edge?.y ?? 0) - (edge?.height ?? 0)).toBeGreaterThanOrEqual(20);
    // The same for an older run.
    await manager.run("import", () => {});
    await page.locator(".head").getByRole("button", { name: "Run again" }).click();
    await page.getByRole("dialog", { name: "Run import again" }).waitFor();
    await typeReason(page, "the partner is back");
    await page.keyboard.press("Control+Enter");
    await page.locator("dialog").waitFor({ state: "detached" });
    const runs = async (): Promise<number> => {
      let n = 0;
      for await (const _ of manager.history({ name: "import" })) n++;
      return n;
    };
    await expect.poll(runs).toBe(4);
    await failing("by hand");
    await page.goto(`${pages.mount.url}runs/${encodeURIComponent(id)}`);
    const none = page.locator(".head").getByRole("button", { name: "Run again", disabled: true });
    expect(await none.getAttribute("title")).toMatch(/no schedule/);
  });

  it("of a run that failed without a line of level error opens at the first one that has such a word", async () => {
    const { manager } = pages.mount;
    const failing = async (text: string): Promise<string> => {
      let id = "";
      const body = (run: Run): never => {
        id = run.id;
        for (let line = 1; line <= 900; line++) {
          if (line === 100) run.log.info("0 errors, no error, error=0");
          else run.log.info(line === 200 || line === 890 ? `${text} ${line}` : `line ${line}`);
        }
        throw new Error("exit code 1");
      };
      await manager.run("import", body).catch(() => {});
      return `runs/${encodeURIComponent(id)}`;
    };
    const page = await pages.open(await failing("\u001b[31mFATAL\u001b[0m: no room, line"));
    const first = page.locator(".line").getByText(/FATAL: no room, line 200/);
    await first.waitFor();
    await expect.poll(() => below(page, first)).toBeLessThanOrEqual(0);
    await page.goto(`${pages.mount.url}${await failing("errorless")}`);
    await page.locator(".line").getByText("line 900").waitFor();
  });

  it("keeps its colours while it is searched, its words whole where it wraps, and links to web addresses alone", async () => {
    const prose = "the partner answers slowly with a thoroughlyincomprehensibleandoverlongword each ".repeat(6).trim();
    const { record } = await pages.mount.manager.run("copy", ({ log }) => {
      log.info("\u001b[31mno room\u001b[0m on the disk");
      log.info('see (https://status.example.com/incident?id=4&x=1), or http://a.example/"onclick=alert(1)');
      log.info("javascript:alert(1) data:text/html,hi ftp://a.example //b.example");
      for (let line = 0; line < 60; line++) log.info(`${line} ${prose}`);
      log.info("the last line");
    });
    const page = await pages.open(`runs/${encodeURIComponent(record.id)}`, 1300);
    const lines = page.locator(".lines");
    await page.getByRole("button", { name: "Wrap" }).click();
    await lines.getByText("the last line").waitFor();
    const end = (await lines.getByText("the last line").boundingBox()) ?? { y: 1e9, height: 0 };
    const box = (await lines.boundingBox()) ?? { y: 0, height: 0 };
    expect(end.y + end.height).toBeLessThanOrEqual(box.y + box.height);
    // Lines that break between words may take more room than their characters need.
    const all = (await page.locator(".lines .all").boundingBox()) ?? { y: 0, height: 0 };
    expect(end.y + end.height).toBeCloseTo(all.y + all.height, 0);
    const broken = await page.evaluate(`[...document.querySelectorAll(".line .text")].flatMap((text) => {
      const node = text.firstChild;
      return [...node.data.matchAll(/\\S+/g)].filter((word) => {
        const range = new Range();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        return range.getClientRects().length !== 1;
      }).map(String);
    })`);
    expect(broken).toEqual([]);
    const follow = page.getByRole("button", { name: "Follow", disabled: true });
    expect(await follow.getAttribute("aria-pressed")).toBe("false");
    await page.getByRole("searchbox", { name: "Search the log" }).fill("room on");
    await lines.locator(".ansi-red mark").getByText("room", { exact: true }).waitFor();
    expect(await lines.locator("mark").allTextContents()).toEqual(["room", " on"]);
    const links = await lines
      .locator(".text a")
      .evaluateAll((all) => all.map((a) => [...a.attributes].map(({ name, value }) => `${name}=${value}`)));
    expect(links).toEqual(
      ["https://status.example.com/incident?id=4&x=1", "http://a.example/"].map((href) => [
        `href=${href}`,
        "target=_blank",
        "rel=noopener noreferrer",
      ]),
    );
    expect(await violationsOf(page)).toEqual([]);
  });
});
