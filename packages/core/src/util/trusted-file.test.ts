import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { temporaryFolder } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { whyUntrustedModule } from "./trusted-file.js";

const isRoot = process.getuid?.() === 0;
const NAME = "@some/backend";

describe.skipIf(process.platform === "win32")("a module that was found by the working directory", () => {
  /** The reason for a package of a folder, and its folder. */
  function installed(): { readonly folder: string; readonly why: () => string | undefined } {
    const folder = temporaryFolder();
    const home = join(folder, "node_modules", NAME);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "index.js"), "");
    // As from a folder below.
    const { resolve } = createRequire(join(folder, "below", "-"));
    return { folder, why: () => whyUntrustedModule(NAME, resolve(NAME), resolve.paths(NAME) ?? []) };
  }

  test("is trusted if it belongs to this user", () => {
    expect(installed().why()).toBeUndefined();
  });

  test.each([
    "node_modules",
    "node_modules/@some",
    "node_modules/@some/backend",
    "node_modules/@some/backend/index.js",
  ])("is not trusted if all may write to %s", (path) => {
    const { folder, why } = installed();
    chmodSync(join(folder, path), 0o777);
    expect(why()).toMatch(/node_modules\/@some\/backend\/index\.js is not used: others may write to it$/);
  });

  test.skipIf(!isRoot)(
    `is not trusted if its package belongs to another user${isRoot ? "" : ": only root can give folders away"}`,
    () => {
      const { folder, why } = installed();
      chownSync(join(folder, "node_modules", NAME), 54_321, 54_321);
      expect(why()).toMatch(/is not used: it belongs to another user \(uid 54321\)$/);
    },
  );
});
