import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { expect, test, vi } from "vitest";
import { cacheFolder } from "./compile-cache.js";

const isRoot = process.getuid?.() === 0;

function home(): { readonly folder: string; readonly cache: string } {
  const folder = folderWith({});
  vi.stubEnv("HOME", folder);
  vi.stubEnv("XDG_CACHE_HOME", undefined);
  return { folder, cache: join(folder, ".cache", "ojm") };
}

test("compiled code is cached in the home folder, or in XDG_CACHE_HOME", () => {
  const { folder, cache } = home();
  expect(cacheFolder()).toBe(cache);
  mkdirSync(cache, { recursive: true });
  expect(cacheFolder()).toBe(cache);
  vi.stubEnv("XDG_CACHE_HOME", folder);
  expect(cacheFolder()).toBe(join(folder, "ojm"));
});

test("compiled code is not cached in a home folder that is missing", () => {
  home();
  vi.stubEnv("HOME", "/no/such/home");
  expect(cacheFolder()).toBeUndefined();
});

test.each(["", ".cache", ".cache/ojm"])('compiled code is not cached where all may write: home folder/"%s"', (path) => {
  const { folder, cache } = home();
  mkdirSync(cache, { recursive: true });
  chmodSync(join(folder, path), 0o777);
  expect(cacheFolder()).toBeUndefined();
});

test.skipIf(!isRoot)(
  `compiled code is not cached in the home folder of another user, as after sudo -E${isRoot ? "" : ": only root can give folders away"}`,
  () => {
    const { folder, cache } = home();
    chownSync(folder, 54_321, 54_321);
    expect(cacheFolder()).toBeUndefined();
    chownSync(folder, 0, 54_321);
    chmodSync(folder, 0o770);
    expect(cacheFolder()).toBeUndefined();
    chmodSync(folder, 0o755);
    expect(cacheFolder()).toBe(cache);
  },
);
