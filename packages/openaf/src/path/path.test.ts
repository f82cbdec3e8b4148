import { expect, test } from "vitest";
import { expressions } from "../testing/run.js";

test("$path takes a part of a value by JMESPath, with the functions that OpenAF adds", async () => {
  const wanted = {
    '$path({ a: [{ b: 1 }, { b: 2 }] }, "a[].b")': [1, 2],
    '$path({ a: { b: 1 } }, "a.c")': null,
    "$path([{ a: 1, b: 'x' }, { a: 5, b: 'y' }], \"[?a > `2`].b | [0]\")": "y",
    '$path([{ t: "a" }, { t: "a" }, { t: "b" }], "count_by(@, \'t\')")': [
      { t: "a", _count: 2 },
      { t: "b", _count: 1 },
    ],
    '$path({ n: 1536 }, "to_bytesAbbr(n)")': "1.5 KB",
    '$path({ t: "Ab" }, "[upper_case(t), lower_case(t), substring(t, `0`, `1`)]")': ["AB", "ab", "A"],
    "$path({ a: { name: 1 } }, \"search_keys(@, 'name')\")": { ".a.name": 1 },
    "$path({ a: 1 }, \"insert(@, 'b.c', `2`)\")": { a: 1, b: { c: 2 } },
    '$path([1, 2, 1], "unique(@)")': [1, 2],
    '$path({}, "a[")': expect.stringMatching(/^thrown /),
    "$path({}, '@', { mine: {} })": expect.stringMatching(/^thrown \$path takes no functions/),
    "$path({ a: 1 })": { a: 1 },
    // As in OpenAF, < and > order texts, too.
    "$path([{ d: '2026-01-01' }, { d: '2026-02-01' }, {}], \"[?d > '2026-01-01'].d\")": ["2026-02-01"],
    "$path([1, 5, 20], \"[?@ >= '5' && @ != `20`]\")": [5],
    "$path([{ a: 1, b: 2 }], 'sort_by([?a < b], &a)[0].[a <= `1`, b > a, a > b, c > b]')": [true, true, false, false],
    "$path([{ n: 'x' }], '[?n == `x`].n')": ["x"],
    "$path({ x: true }, \"[if(x, '1', '0'), if(y, '1', '0')]\")": ["1", "0"],
    "$path({}, 'range(`2`)')": [1, 2],
    "$path({ t: 'a-b' }, \"[replace(t, 'A', 'i', 'x'), split(t, '-')[0], trim(' a ')]\")": ["x-b", "a", "a"],
    "$path([{ k: 1, g: 'x' }], \"group_by(@, 'g')\")": { x: [{ k: 1, g: "x" }] },
    "$path({}, \"[date_diff(now('60000'), 'minutes', __), from_xml('<a>1</a>').a]\")": [1, "1"],
  };
  expect(await expressions(wanted)).toEqual(wanted);
});
