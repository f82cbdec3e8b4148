import { describe, expect, test } from "vitest";
import { $from } from "./from.js";

const PEOPLE = [
  { name: "Ann", age: 30, city: "Porto", of: { team: "a" } },
  { name: "bob", age: 25, city: "Lisbon", of: { team: "b" } },
  { name: "Cid", age: 41, city: "Porto", of: { team: "a" } },
  { name: "Dan", city: "", of: { team: "b" } },
];
const people = () => $from(structuredClone(PEOPLE));
const names = (list: unknown[]): unknown[] => list.map((one) => (one as { name: string }).name);

test("the queries of the guide to oJob Manager: groups with select, a filter by field, a mean of differences", () => {
  const jobs = [
    { name: "a", startTime: 10, endTime: 30 },
    { name: "b", startTime: 5 },
    { name: "a", startTime: 20, endTime: 60 },
  ];
  const grouped = $from(jobs).groupBy("name");
  expect(grouped).toEqual({ a: [jobs[0], jobs[2]], b: [jobs[1]] });
  expect(Object.keys(grouped)).toEqual(["a", "b"]);
  const rows = grouped.select((g) => ({
    name: g.key,
    runs: g.items.length,
    mean: $from(g.items).filter("endTime").average("endTime", "startTime"),
  }));
  expect(rows).toEqual([
    { name: "a", runs: 2, mean: 30 },
    { name: "b", runs: 1, mean: undefined },
  ]);
  expect($from(["x", "y"]).filter("x").select()).toEqual(["x"]);
  expect($from(jobs).sum("endTime", "startTime")).toBe(60);
  expect($from([{ k: "select" }]).groupBy("k")).toEqual({ select: [{ k: "select" }] });
});

describe("the conditions of $from", () => {
  test.each([
    ["a text in any case", people().equals("name", "ANN"), ["Ann"]],
    ["a text in its case", people().useCase().equals("name", "ANN"), []],
    ["a field within", people().equals("of.team", "A"), ["Ann", "Cid"]],
    ["several fields as a map", people().equals({ city: "Porto", of: { team: "a" } }), ["Ann", "Cid"]],
    [
      "starts, ends, contains",
      people().starts("name", "c").orEnds("name", "B").orContains("name", "nn"),
      ["Ann", "bob", "Cid"],
    ],
    ["not", people().notStarts("name", "a").notEnds("name", "n"), ["bob", "Cid"]],
    ["numbers", people().greater("age", 25).lessEquals("age", 41), ["Ann", "Cid"]],
    ["between", people().betweenEquals("age", 25, 30), ["Ann", "bob"]],
    ["a number as a text", people().greater("age", "9").equals("age", "30"), ["Ann"]],
    ["no order for what is missing", people().notGreater("age", 30), ["Ann", "bob"]],
    ["no text for what is missing", people().greater("age", "1").not().less("age", "26"), ["Ann", "Cid"]],
    ["not between", people().notBetween("age", 25, 30), ["Cid"]],
    ["not between or on its ends", people().notBetweenEquals("age", 25, 30), ["Ann", "bob", "Cid"]],
    ["a pattern", people().match("name", "^[ab]"), ["Ann", "bob"]],
    ["empty", people().empty("city"), ["Dan"]],
    ["missing", people().notIs("age"), ["Dan"]],
    ["or mode", people().or().equals("name", "Ann").equals("name", "bob"), ["Ann", "bob"]],
    [
      "and binds closer than or",
      people().equals("name", "bob").orEquals("city", "Porto").andGreater("age", 40),
      ["bob", "Cid"],
    ],
    ["blocks", people().begin().equals("name", "bob").orEquals("city", "Porto").end().greater("age", 40), ["Cid"]],
    ["functions", people().where((one) => (one as { age?: number }).age === 25), ["bob"]],
  ])("$from keeps the items for which its conditions hold: %s", (_, query, wanted) => {
    expect(names(query.select())).toEqual(wanted);
  });

  test("$from asks the items themselves where no field is named", () => {
    expect($from(["ab", "b", "Ac"]).starts("a").select()).toEqual(["ab", "Ac"]);
    expect($from([1, 5, 9]).greater(4).select()).toEqual([5, 9]);
  });
});

describe("the results of $from", () => {
  test("select has a default for a field that is missing, not for null", () => {
    expect($from([{ a: null }, {}]).select({ a: "?" })).toEqual([{ a: null }, { a: "?" }]);
  });

  test("select takes fields, maps and functions", () => {
    expect(people().limit(1).select(["name", "team:of.team"])).toEqual([{ name: "Ann", team: "a" }]);
    expect(people().tail(1).select({ name: "", age: 0 })).toEqual([{ name: "Dan", age: 0 }]);
    expect(
      people()
        .skip(3)
        .pselect((one) => (one as { name: string }).name),
    ).toEqual(["Dan"]);
  });

  test("items are sorted, counted and grouped by fields", () => {
    expect(names(people().sort("city", "-age").select())).toEqual(["Dan", "bob", "Cid", "Ann"]);
    expect(people().countBy("of.team")).toEqual([
      { "of.team": "a", _count: 2 },
      { "of.team": "b", _count: 2 },
    ]);
    expect(people().sumBy("city", "age", "sum", "place")).toContainEqual({ place: "Porto", sum: 71 });
    expect(Object.keys(people().groupBy("city,of.team"))).toEqual(["Porto", "Lisbon", ""]);
    expect(people().distinct("city")).toEqual(["Porto", "Lisbon", ""]);
  });

  test("numbers are added, and the item with the greatest is found", () => {
    expect([people().sum("age"), people().average("age"), people().count(), people().any()]).toEqual([96, 32, 4, true]);
    expect(people().max("age")).toMatchObject({ name: "Cid" });
    expect(people().min("age")).toMatchObject({ name: "bob" });
    expect([people().equals("name", "x").first("none"), people().at(1)]).toEqual(["none", PEOPLE[1]]);
  });

  test("attach and detach change the items, lists of items are joined", () => {
    expect(
      people()
        .attach("x.y", (one: unknown) => (one as { age?: number }).age ?? 0)
        .detach("of")
        .limit(1)
        .select(),
    ).toEqual([{ name: "Ann", age: 30, city: "Porto", x: { y: 30 } }]);
    expect($from([1, 2]).union([2, 3]).select()).toEqual([1, 2, 3]);
    expect($from([1, 2]).except([2]).select()).toEqual([1]);
    expect(
      $from([{ a: 1 }])
        .cartesian([{ b: 1 }, { b: 2 }])
        .select(),
    ).toEqual([
      { a: 1, b: 1 },
      { a: 1, b: 2 },
    ]);
    expect(
      $from([{ id: 1 }])
        .join([{ of: 1 }, { of: 2 }], "own", "id", "of")
        .select(),
    ).toEqual([{ id: 1, own: [{ of: 1 }] }]);
  });

  test("a query is made by a map, too", () => {
    const query = { where: [{ cond: "greater", args: ["age", 25] }], transform: [{ func: "sort", args: ["-age"] }] };
    expect(names(people().query(query) as unknown[])).toEqual(["Cid", "Ann"]);
    expect(people().query({ ...query, selector: { func: "count" } })).toBe(2);
    expect(() => people().query({ where: [{ cond: "nope" }] })).toThrow('a query has no "nope"');
  });

  test("the values of a map are the items, with their keys", () => {
    expect(
      $from({ a: { n: 1 }, b: { n: 2 } })
        .greater("n", 1)
        .select(),
    ).toEqual([{ n: 2, _key: "b" }]);
    expect($from([{ _key: "a", n: 1 }]).mselect()).toEqual({ a: { n: 1, _key: "a" } });
  });
});
