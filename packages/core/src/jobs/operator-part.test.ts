import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const INDEX = new URL("../index.ts", import.meta.url).href;

/** Prints the URL of each module of the operator's part that the process loads. */
const HOOKS = `
  import { writeSync } from "node:fs";
  export function load(url, context, next) {
    if (url.includes("/core/src/operator/")) writeSync(1, url + "\\n");
    return next(url, context);
  }`;

const asUrl = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;
const REGISTER = `import { register } from "node:module"; register(${JSON.stringify(asUrl(HOOKS))});`;

/** Runs a program that has the open job manager `manager`. Resolves to its output. */
async function output(program: string): Promise<string> {
  const text = `
    import { openJobManager } from ${JSON.stringify(INDEX)};
    const manager = await openJobManager();
    ${program}
    await manager.close();
    console.log("closed");`;
  const conditions = ["--conditions=@ojm/source", "--import", "tsx", "--import", asUrl(REGISTER)];
  const { stdout } = await promisify(execFile)(process.execPath, [...conditions, "--input-type=module", "-e", text]);
  return stdout;
}

test("a process that only runs jobs loads nothing of the operator's part", async () => {
  // Until the first housekeeping, which looks for old records, is over.
  const program = `
    await manager.run("a", (run) => run.log.info("x"));
    const turns = await manager.channelOf("oJobManager-turns");
    while ((await turns.get("retained")) === undefined) await new Promise((resolve) => setTimeout(resolve, 5));`;
  expect(await output(program)).toBe("closed\n");
});

test("a query loads the operator's part", async () => {
  expect(await output('await manager.why("a");')).toContain("/core/src/operator/why.ts");
});
