import { expect, test } from "vitest";
import { expressions } from "../testing/run.js";

test("functions are retried, called for each item, and made of texts", async () => {
  const wanted = {
    "(() => { let n = 0; return $retry(() => { if (++n < 3) throw 'no'; return n }, 3) })()": 3,
    "$retry(() => { throw 'no' }, 2)": "no",
    "(() => { let n = 0; return [$retry(() => { n++; throw 'no' }, (e) => n < 4), n] })()": ["no", 4],
    "pForEach([1, 2], (v, i) => v * 10 + i)": [10, 21],
    "pForEach([1], () => { throw 'x' }, (e) => 'caught ' + e)": ["caught x"],
    "parallel4Array([1, 2], (v) => v + 1)": [2, 3],
    '[sync(() => 1), syncFn(() => 2), newFn("a", "return a + 1")(2)]': [1, 2, 3],
    '[$f("%03d", 7), $ft("%s", "a"), $t("{{a}}", { a: 1 }), repeat(2, "ab")]': ["007", "a", "1", "abab"],
    '($set("k", 1), $unset("k"), $get("k"))': "undefined",
    "(() => { const n = $atomic(5); return [n.inc(), n.dec(), n.getAdd(2), n.get(), n.setIf(7, 1), n.getSet(3), n.get()] })()":
      [6, 5, 5, 7, true, 1, 3],
    '$atomic(undefined, "boolean").get()': false,
    'af.eval("1 + 1")': 2,
    "[af.nvl(null, 1), af.visibleLength('ab')]": [1, 2],
    'ow.loadTemplate().parse("{{a}}", { a: 1 })': "1",
    "[ow.loadObj() === ow.obj, ow.loadFormat() === ow.format]": [true, true],
  };
  expect(await expressions(wanted)).toEqual(wanted);
});
