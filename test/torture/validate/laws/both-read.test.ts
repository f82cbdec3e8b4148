import { expect, it } from "vitest";
import type { JobStock, Stock } from "../../scene/events.js";
import { evidenceOf } from "../hand-made.js";
import { judgeReading } from "./both-read.js";

const record = { name: "a", fence: "1", status: "completed", startTime: 5 };
const found: Stock = { records: [record], left: [], unreadable: [] };
const cursors = { skips: { at: 5, waiting: [1, 2] } };
const jobs: JobStock = { now: 7, records: [], ticks: {}, cursors, pending: [], logs: [] };

const judged = (stock: Stock, otherStock?: Stock): string[] =>
  judgeReading({ ...evidenceOf([]), stock, otherStock }).map(({ text }) => text);

it("an entry that cannot be read is a violation", () => {
  expect(judged(found)).toEqual([]);
  expect(judged({ ...found, unreadable: ["the run 9 of a"] })).toEqual(["the run 9 of a"]);
  expect(judged(found, { ...found, unreadable: ["the run 9 of a"] })).toEqual(["the run 9 of a"]);
});

it("two versions that read the same, in any order and at any time, break no law", () => {
  const other = { ...record, startTime: 6 };
  const one: Stock = { ...found, records: [record, other], jobs };
  expect(judged(one, { ...found, records: [other, record], jobs: { ...jobs, now: 9 } })).toEqual([]);
});

it("a record that one of two versions does not read, or reads differently, is a violation", () => {
  expect(judged(found, { ...found, records: [] })).toHaveLength(1);
  expect(judged(found, { ...found, records: [{ ...record, status: "lost" }] })).toHaveLength(1);
  expect(
    judged({ ...found, jobs }, { ...found, jobs: { ...jobs, cursors: { skips: { at: 5, waiting: [1] } } } }),
  ).toHaveLength(1);
});

it("a field that only one of two versions reads is a violation, unless it is known as new", () => {
  const more = { ...jobs, retained: 3 } as JobStock;
  const evidence = { ...evidenceOf([]), stock: { ...found, jobs: more }, otherStock: { ...found, jobs } };
  expect(judgeReading(evidence).map(({ text }) => text)).toEqual([
    "jobs.retained: one version reads 3, and the other one undefined",
  ]);
  expect(judgeReading(evidence, [".retained"])).toEqual([]);
});
