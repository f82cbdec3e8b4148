import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { expressions, run } from "../testing/run.js";

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

test("promises of OpenAF run at once, and await takes them", async () => {
  const wanted = {
    "(() => { const seen = []; $doWait($do(() => 1).then((v) => v + 1).then((v) => { seen.push(v) })); return seen })()":
      [2],
    "(() => { let e; $do(() => { throw 'bad' }).then(() => 'never').catch((error) => { e = error }); return e })()":
      "bad",
    "(() => { let v; $do((good, bad) => { bad('no') }).then(undefined, (error) => { v = error }); return v })()": "no",
    "(() => { let v; $do((good) => { good(5); return 6 }).then((value) => { v = value }); return v })()": 5,
    "(() => { let v; $doAll([$do(() => 1), $doV(() => $do(() => 2))]).then((all) => { v = all }); return v })()": [
      1, 2,
    ],
    "(() => { let v; $doAll([$do(() => 1), $do(() => { throw 'x' })]).catch((e) => { v = e }); return v })()": "x",
    "(() => { let v; $doFirst([$do(() => 1), $do(() => 2)]).then((one) => { v = one }); return v })()": 1,
  };
  expect(await expressions(wanted)).toEqual(wanted);
  const awaited = await run("log(await $do(() => 7)); try { await $do(() => { throw 'x' }) } catch (e) { log(e) }");
  expect(awaited.out).toMatch(/\| 7\n.*\| x\n$/s);
});

test("helpers of templates, versions and paths, jobs that a script runs, and files that it loads", async () => {
  const folder = folderWith({
    "lib.js": "var fromLib = () => 'lib'; loadCount = (globalThis.loadCount || 0) + 1; exports.exported = 2;",
  });
  const code = `
ow.template.addHelper("up", (text) => text.toUpperCase());
ow.template.addFormatHelpers();
print([ow.template.parse("{{up a}}", args), $t("{{owFormat_toHex 255}}", {}), templify("{{a}}{{up 'b'}}", args)].join());
print(ow.template.execCompiled(ow.template.compile("<{{a}}>"))({ a: 1 }));
ow.template.delHelper("up");
print([getVersion() >= "20200101", getDistribution(), getOpenAFPath().endsWith("/"), typeof getJavaHome()].join());
load("${folder}/lib.js"); loadLib("${folder}/lib.js");
print([fromLib(), exported, loadCount].join());
try { load("none.js") } catch (e) { print(e.message) }
print(oJobRunJob({ name: "Twice", args: { n: 4 } }).n + oJobRunJob("Twice", { n: 5 }).n);
ow.oJob.add2Todo({ name: "Twice", args: { n: 50 } });`;
  const jobs = `  - { name: Twice, exec: "args.n *= 2; print('twice ' + args.n)" }`;
  const { out, well } = await run(code, { a: "x" }, jobs);
  // The warning is that no other job sees the functions of the file.
  const printed = out.split("\n").filter((line) => !line.includes("fromLib"));
  expect([well, printed]).toEqual([
    true,
    [
      "X,ff,xB",
      "<1>",
      expect.stringMatching(/^true,stable,true,(string|undefined)$/),
      "lib,2,1",
      'load("none.js"): there is no such file. Libraries of OpenAF cannot be loaded',
      "twice 8",
      "twice 10",
      "18",
      "twice 100",
      "",
    ],
  ]);
});
