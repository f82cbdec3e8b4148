import { justAfter } from "@ojm/core/backend";
import { expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../database.js";
import { EVERYTHING, temporaryFile } from "../testing/fixtures.js";
import { Interests } from "./interests.js";

async function interests(): Promise<Interests> {
  const db = await openDatabase(temporaryFile(), "process");
  onTestFinished(() => {
    db.close();
  });
  return new Interests(db);
}

it("the table of interests finds the watchers of a key, watched alone or within a range", async () => {
  const all = await interests();
  all.add(1, { from: "b", to: justAfter("b") });
  all.add(2, { from: "b", to: "c" });
  all.add(3, EVERYTHING);
  all.add(4, { from: "c", to: justAfter("c") });
  const of = (key: string): number[] => [...new Set(all.of(key))].sort();
  expect(of("a")).toEqual([3]);
  expect(of("b")).toEqual([1, 2, 3]);
  expect(of(justAfter("b"))).toEqual([2, 3]);
  expect(of("bb")).toEqual([2, 3]);
  expect(of("c")).toEqual([3, 4]);
  all.remove(2, { from: "b", to: "c" });
  all.removeAll(3);
  expect(of("b")).toEqual([1]);
});

it("the table of interests holds a range once, however often a watcher adds it", async () => {
  const all = await interests();
  for (const range of [{ from: "a", to: justAfter("a") }, EVERYTHING]) {
    all.add(1, range);
    all.add(1, range);
    all.remove(1, range);
    expect(all.of("a")).toEqual([]);
  }
});

it("the table of interests orders keys by their bytes, as the table of entries does", async () => {
  const all = await interests();
  all.add(1, { from: "\u{ffff}", to: "\u{10ffff}" });
  expect(all.of("\u{1f600}")).toEqual([1]);
  expect(all.of("\u{fffe}")).toEqual([]);
});
