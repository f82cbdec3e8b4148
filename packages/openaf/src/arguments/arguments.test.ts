import { expect, test } from "vitest";
import { expressions } from "../testing/run.js";

test("_$ returns the value, its default, or throws what its checks complain of, as a text", async () => {
  const wanted = {
    '_$("5", "n").toNumber().isNumber().default(1)': 5,
    "_$(undefined).isNumber().default(1)": 1,
    "_$(undefined).isString().isMap().default(__)": "undefined",
    '_$({}, "n").isNumber().default(1)': "thrown n is not a number",
    '_$({}, "n").isNumber().isString("my message").default(1)': "thrown n is not a number; my message",
    '_$(undefined, "aFile").isString().$_()': "thrown aFile not defined or assigned",
    '_$(undefined).$_("give it")': "thrown give it",
    '_$("x", "mode").oneOf(["a", "b"]).default("a")': 'thrown mode is not one of ["a","b"]',
    '_$("a").oneOf(["a", "b"]).default("b")': "a",
    '_$("true").toBoolean().default(false)': true,
    '_$("no").toBoolean().default(true)': false,
    '_$("a, b").toArray().default([])': ["a", "b"],
    '_$("{a: 1}").toMap().default({})': { a: 1 },
    '_$("abc").regexp(/^a/).default("")': "abc",
    '_$("abc", "t").regexp(/^b/).default("")': "thrown t doesn't match '/^b/'",
    '_$("abc", "t").starts("b").ends("d").default("")': "thrown t doesn't start with 'b'; t doesn't end with 'd'",
    '_$(5, "n").between(6, 8).default(1)': "thrown n is not between 6 and 8",
    '_$(5, "n").greater(7).default(1)': "thrown n is greater than 7",
    '_$("", "t").notEmpty().default(1)': "thrown t is empty",
    '_$(5).isString().or().isNumber().default("")': 5,
    '_$([]).isString().or().isNumber().default("")': "thrown is not a string and is not a number",
    "_$(4, 'n').expr('{{v}} > 0 && {{v}} != 3').default(1)": 4,
    "_$(3, 'n').expr('{{v}} > 0 && {{v}} != 3').default(1)": "thrown n is not ok",
    "_$(5).check((v) => v > 4).default(1)": 5,
    '_$(null, "t").isNotNull().default(1)': "thrown t is null",
    "_$(() => 1).isFunction().default(undefined)()": 1,
  };
  expect(await expressions(wanted)).toEqual(wanted);
});

test("$$ reads, sets and deletes by paths, and asks what a value is", async () => {
  const wanted = {
    '$$({ a: { b: [1, { "c.d": 2 }] } }).get("a.b[1].\'c.d\'")': 2,
    '$$({ a: 1 }).get("b.c")': "undefined",
    '$$({ Ab: { Cd: 1 } }).getI("aB.cD")': 1,
    '$$({ a: 1 }).set("b.c[0]", 5)': { a: 1, b: { c: [5] } },
    '$$({ a: { b: 1, c: 2 } }).unset("a.b")': { a: { c: 2 } },
    '$$({}).set("__proto__.x", 1)': 'thrown a path must not lead through "__proto__"',
    "[$$(1).isNumber(), $$([]).isArray(), $$({}).isMap(), $$(undefined).isUnDef(), $$(new Date()).isDate()]": [
      true,
      true,
      true,
      true,
      true,
    ],
  };
  expect(await expressions(wanted)).toEqual(wanted);
});
