import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { describePages } from "./support/describe-pages.js";

const LINES = 6_000;

describePages("a long log", (pages) => {
  /** The path of a run that wrote more lines than one answer has, all of which are kept. */
  const written = async (): Promise<string> => {
    const { record } = await pages.mount.manager.run("copy", ({ log }) => {
      for (let line = 1; line <= LINES; line++) log.info(`line ${line}: copied a row of the table`);
    });
    return `runs/${encodeURIComponent(record.id)}`;
  };

  /** Waits until all lines are there, above and below what is seen. */
  const whole = (page: Page): Promise<void> =>
    expect.poll(() => page.evaluate('document.querySelector(".lines .all")?.offsetHeight')).toBe(LINES * 20);

  it.each([3, 500, 3_000, LINES - 100])("has an address of line %i, which leads to it", async (line) => {
    const path = await written();
    const page = await pages.open(`${path}#L${line}`);
    await whole(page);
    const chosen = page.locator(".line[data-chosen=true]");
    await chosen.getByText(`line ${line}: `).waitFor();
    const [own, box] = await Promise.all([chosen.boundingBox(), page.locator(".lines").boundingBox()]);
    expect(own?.y).toBeGreaterThanOrEqual(box?.y ?? 0);
    expect((own?.y ?? 0) + 20).toBeLessThanOrEqual((box?.y ?? 0) + (box?.height ?? 0));
  });

  it("shows its end first, and stays there while what is above it comes", async () => {
    const page = await pages.open(await written());
    await whole(page);
    await page.locator(".line").getByText(`line ${LINES}: `).waitFor();
  });
});
