import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { newerThan } from "./support/stale.js";

test("built pages are stale if any source is newer, in whatever folder", () => {
  const folder = temporaryFolder();
  const [built, web] = [join(folder, "index.html"), join(folder, "web")];
  mkdirSync(join(web, "src"), { recursive: true });
  const file = (path: string, time: number): string => {
    writeFileSync(path, "");
    utimesSync(path, time, time);
    return path;
  };
  file(built, 2_000);
  file(join(web, "index.html"), 1_000);
  const source = file(join(web, "src", "app.tsx"), 1_000);
  expect(newerThan(built, web)).toBeUndefined();
  file(source, 3_000);
  expect(newerThan(built, web)).toBe(source);
});
