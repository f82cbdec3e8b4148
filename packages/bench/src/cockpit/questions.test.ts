import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { type ApiDocument, questionsOf } from "./questions.js";

const filling = { total: 10_000, names: 500, now: 1_764_208_800_000 };
const file = new URL("../../../ui/openapi.json", import.meta.url);
const document = JSON.parse(readFileSync(file, "utf8")) as ApiDocument;

it("requests each GET route of the UI's API", () => {
  const asked = questionsOf(document, filling);
  expect(new Set(asked.map(({ text }) => text)).size).toBe(asked.length);
  expect(asked.map(({ path }) => path)).toContain("/api/v1/now");
});

it("names a GET route that nothing is asked of", () => {
  const more = { paths: { ...document.paths, "/api/v1/new": { get: {} }, "/api/v1/act": { post: {} } } };
  expect(() => questionsOf(more, filling)).toThrow("nothing is asked of /api/v1/new: add a question");
});

it("names a route that the API has no more", () => {
  const { "/api/v1/locks": _, ...paths } = document.paths;
  expect(() => questionsOf({ paths }, filling)).toThrow("the API has no /api/v1/locks");
});
