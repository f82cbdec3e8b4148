import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { checkJobFile } from "../../index.js";

async function warningsOf(exec: string, todo: string): Promise<string[]> {
  const yaml = `jobs:\n  - { name: A, deps: [Bee], exec: '${exec}' }\n  - { name: Bee, exec: print(1) }\ntodo: [${todo}]\n`;
  const { warnings } = await checkJobFile(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"));
  return warnings.map(({ at, message }) => `${at?.line} ${message}`);
}

test("a dependency that nothing asks for is warned of at its place, unless a script names it", async () => {
  expect(await warningsOf("print(2)", "A")).toEqual([
    '2 "A" depends on "Bee", which is not in "todo": "A" would be skipped. Add it there.',
  ]);
  expect(await warningsOf("print(2)", "Bee, A")).toEqual([]);
  expect(await warningsOf('$job("Bee")', "A")).toEqual([]);
});

test.each(["bash", "sh"])("the language %s is refused with the word for it", async (lang) => {
  const folder = folderWith({ "jobs.yaml": `jobs: [{ name: A, lang: ${lang}, exec: ls }]\ntodo: [A]\n` });
  await expect(checkJobFile(join(folder, "jobs.yaml"))).rejects.toThrow('Write "lang: shell"');
});
