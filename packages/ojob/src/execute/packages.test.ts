import { expect, test } from "vitest";
import { runText, script } from "../testing/run-file.js";

// Scripts load packages of this repository, which are TypeScript here: a thread that was built cannot.
delete process.env["OJM_BUILT"];

const package_ = (name: string, manifest: object, files: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ "package.json": JSON.stringify({ name, version: "1.0.0", ...manifest }), ...files }).map(
      ([file, content]) => [`node_modules/${name}/${file}`, content],
    ),
  );

const PACKAGES = {
  ...package_("old", {}, { "index.js": "module.exports = { ofOld: () => 1 }; module.exports.more = 2;" }),
  ...package_(
    "@of/new",
    { type: "module", exports: { import: "./m.js" } },
    {
      "m.js": "export const ofNew = () => 3; export default { ofDefault: 4 };",
    },
  ),
  ...package_("parts", { exports: { "./part": { import: "./p.mjs" } } }, { "p.mjs": "export const ofPart = 5;" }),
};

test("ojob.loads makes the exports of packages global, in all threads", async () => {
  const yaml = `ojob: { loads: [old, "@of/new", parts/part] }
jobs:
  - { name: A, exec: "log([ofOld(), more, ofNew(), ofDefault, ofPart].join()); $job('B')" }
  - { name: B, exec: "log(ofNew() + typeof global.default)" }
todo: [A]
`;
  expect((await runText(yaml, {}, PACKAGES)).lines).toEqual(["1,2,3,4,5", "3undefined"]);
});

test("a package that comes with ojm is found from any folder", async () => {
  const yaml = `ojob: { loads: "@ojm/openaf" }\n${script("log(_$(undefined).default(5)); log(af.toSLON({ a: 1 }))")}`;
  expect((await runText(yaml)).lines).toEqual(["5", "(a: 1)"]);
});

const TYPES = `include: [oJobManager.yaml]
jobs:
  - name: Job
    args: { name: a, timeout: "{{ms}}" }
    from: oJobManager Job Start
    check: { in: { port: isNumber.greater(1), version: default(__), on: toBoolean } }
    exec: |
      log([args.port, args.on, args.flag == "true", typeof args.version, typeof args.OJM_TEST_PORT].join())
todo: [Job]
`;

test("with @ojm/openaf arguments of the command line are texts, as in OpenAF", async () => {
  process.env["OJM_TEST_PORT"] = "80";
  const args = { port: 8080, on: true, flag: true, version: 1.2, ms: 60_000 };
  const openaf = await runText(`ojob: { loads: "@ojm/openaf", argsFromEnvs: true }\n${TYPES}`, { args });
  expect(openaf.lines, openaf.err).toEqual(["8080,true,true,string,string"]);
  const plain = await runText(`ojob: { argsFromEnvs: true }\n${TYPES}`, { args });
  expect(plain.lines, plain.err).toEqual(["8080,true,false,number,number"]);
});

test("arguments that a job hands to another file keep their types there", async () => {
  const inner = `ojob: { loads: "@ojm/openaf" }\n${script("log(typeof args.n)")}`;
  const outer = "jobs: [{ name: A, type: jobs, typeArgs: { file: inner.yaml }, args: { n: 5 } }]\ntodo: [A]\n";
  expect((await runText(outer, {}, { "inner.yaml": inner })).lines).toEqual(["number"]);
});

test("a file beside the job file wins over a package of that name", async () => {
  const files = { ...PACKAGES, old: "function ofOld() { return 'file' }" };
  expect((await runText(`ojob: { loads: old }\n${script("log(ofOld())")}`, {}, files)).lines).toEqual(["file"]);
});

test("a package that is missing is an error that says how to install it, and one that fails says why", async () => {
  const yaml = (name: string): string => `ojob:\n  loads: "${name}"\n${script("log(1)")}`;
  await expect(runText(yaml("@not/there/part"))).rejects.toThrow(
    /jobs\.yaml:2:10: error: there is no package "@not\/there\/part", beside \S*jobs\.yaml or with ojm\. .*: npm install @not\/there$/m,
  );
  await expect(runText(yaml("openaf"))).rejects.toThrow(/"openaf".*write loads: \["@ojm\/openaf"\]/);
  await expect(runText(yaml("nothere"))).rejects.toThrow(/there is neither a file nor a package "nothere"/);
  await expect(runText(yaml("node:fs"))).rejects.toThrow(/there is no file node:fs/);
  const bad = package_("bad", {}, { "index.js": "throw new Error('it is broken')" });
  await expect(runText(yaml("bad"), {}, bad)).rejects.toThrow(
    /cannot load bad: Error: it is broken|cannot load bad: it is broken/,
  );
});
