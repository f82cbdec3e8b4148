import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { temporaryFolder } from "@ojm/testing/folder";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { placeOf } from "./base-path.js";
import { Pages } from "./pages.js";

const folder = temporaryFolder(afterAll);
let pages: Pages;

beforeAll(() => {
  mkdirSync(join(folder, "web/assets"), { recursive: true });
  writeFileSync(join(folder, "secret.txt"), "a secret");
  writeFileSync(join(folder, "web/index.html"), '<!doctype html><base href="/"><title>ojm</title><style>p{}</style>');
  writeFileSync(join(folder, "web/assets/main-abc.js"), "export {};");
  pages = new Pages(join(folder, "web"));
});

const get = (path: string, headers: Record<string, string> = {}): Response =>
  pages.answer(new Request("http://localhost/", { headers }), path, "/a/b/");

describe("the pages", () => {
  test("each path but those of files is the page, with its base path", async () => {
    for (const [path, status] of [
      ...["/", "/index.html", "/jobs/a", "/runs/a@2026-11-25T02:00:00.000Z"].map((path) => [path, 200] as const),
      // The page itself says that it does not exist.
      ...["/x.js", "/metrics", "/.git/config"].map((path) => [path, 404] as const),
    ]) {
      const answer = get(path);
      expect([answer.status, answer.headers.get("Cache-Control")], path).toEqual([status, "no-cache"]);
      expect(await answer.text()).toBe('<!doctype html><base href="/a/b/"><title>ojm</title><style>p{}</style>');
    }
  });

  test("the style in the page is permitted by its hash, and no other", () => {
    const hash = createHash("sha256").update("p{}").digest("base64");
    const policy = get("/").headers.get("Content-Security-Policy");
    expect(policy).toMatch(/^default-src 'self'; /);
    expect(policy?.split("; ").filter((part) => part.includes("-src 'self' "))).toEqual([
      `style-src 'self' 'sha256-${hash}'`,
    ]);
  });

  test("an asset is cached for ever, since its name has its hash", async () => {
    const answer = get("/assets/main-abc.js", { "Accept-Encoding": "br, gzip" });
    expect(answer.headers.get("Cache-Control")).toContain("immutable");
    expect(answer.headers.get("Content-Type")).toContain("text/javascript");
    expect(gunzipSync(Buffer.from(await answer.arrayBuffer())).toString()).toBe("export {};");
    const again = get("/assets/main-abc.js", { "If-None-Match": answer.headers.get("ETag") ?? "" });
    expect([again.status, again.headers.get("Content-Encoding")]).toEqual([304, null]);
  });

  test("nothing beside the pages can be read", async () => {
    for (const path of ["/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", `/${folder}/secret.txt`]) {
      expect(await get(path).text()).not.toContain("a secret");
    }
    expect(() => get("/assets/../../secret.txt")).toThrow("no such file");
  });

  test("without a build, the answer says what to do", () => {
    expect(() => new Pages(join(folder, "none")).answer(new Request("http://localhost/"), "/", "/")).toThrow(
      /not built: run/,
    );
  });
});

describe("the base path", () => {
  const place = (path: string, options: object, from: object = {}, headers: Record<string, string> = {}): string[] => {
    const found = placeOf(new Request(`http://localhost${path}`, { headers }), options, from);
    return [found.base, found.path];
  };

  test.each([
    [place("/api", {}), ["/", "/api"]],
    [place("/a/b/api", { basePath: "/a/b/" }), ["/a/b/", "/api"]],
    [place("/a/b", { basePath: "/a/b" }), ["/a/b/", "/"]],
    [place("/a/bc", { basePath: "/a/b" }), ["/a/b/", "/a/bc"]],
    [place("/api", { basePath: "/a/b" }), ["/a/b/", "/api"]],
    [place("/api", {}, { prefix: "/a/b" }), ["/a/b/", "/api"]],
    [place("/api", {}, {}, { "X-Forwarded-Prefix": "/x" }), ["/", "/api"]],
    [place("/api", { trustProxy: true }, {}, { "X-Forwarded-Prefix": "/x/" }), ["/x/", "/api"]],
    [place("/api", { trustProxy: true }, {}, { "X-Forwarded-Prefix": "//evil" }), ["/", "/api"]],
  ])("%j is %j", (found, expected) => {
    expect(found).toEqual(expected);
  });
});
