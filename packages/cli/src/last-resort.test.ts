import { folderWith } from "@ojm/testing/folder";
import { describe, expect, onTestFinished, test } from "vitest";
import { Ojm, ojm } from "./testing/ojm.js";

const JOBS = `include: [oJobManager.yaml]
jobs:
  - name: Init
    to: oJobManager Init
    args: { chJobs: { type: ./own.mjs }, chLocks: { type: ./own.mjs } }
todo: [Init]
`;

/** A folder whose job manager uses a backend that runs this code when it is opened. */
const withBackend = (open: string): string =>
  folderWith({ "a.yaml": JOBS, "own.mjs": `export const backend = { type: "own", open() { ${open} } };\n` });

describe("a fault of ojm or of a backend", () => {
  test.each([
    ["thrown", 'throw new TypeError("no such\\nthing")'],
    [
      "thrown later, without a handler",
      'setTimeout(() => { throw new Error("no such thing") }); return new Promise(() => {})',
    ],
    ["a rejection that no code awaits", 'Promise.reject("no such thing"); return new Promise(() => {})'],
    ["thrown, with something left open", 'setInterval(() => {}, 1000); throw new Error("no such thing")'],
  ])(
    "a fault of ojm or of a backend is printed in one line without its stack, with exit code 1: %s",
    async (_, open) => {
      const { code, out, err } = await ojm(withBackend(open), "history", "a.yaml");
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err).toMatch(
        /^ojm: .*no such thing.*\nThis is a fault of ojm or of a backend: set OJM_DEBUG=1 to see where it happened\.\n$/,
      );
    },
  );

  test("an error without a message is printed by its name", async () => {
    const { err } = await ojm(withBackend("throw new RangeError()"), "locks", "a.yaml");
    expect(err).toMatch(/^ojm: RangeError\n/);
  });

  test("a missing package of ojm is reported in one line without its stack, with exit code 1", async () => {
    const hooks = `export async function resolve(name, context, next) {
      if (name.startsWith("@ojm/core")) throw new Error("no such package");
      return next(name, context);
    }`;
    const url = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
    const preload = url(`import { register } from "node:module"; register(${JSON.stringify(url(hooks))});`);
    const env = { ...process.env, NODE_OPTIONS: `--import ${preload}` };
    const ojm = new Ojm(withBackend(""), ["locks", "a.yaml"], env);
    onTestFinished(() => void ojm.process.kill("SIGKILL"));
    const { code, err } = await ojm.ended;
    expect([code, err]).toEqual([1, expect.stringMatching(/^ojm: .*no such package\nThis is a fault of ojm/)]);
  });

  test("with OJM_DEBUG=1 a fault is shown with its stack and its cause", async () => {
    const folder = withBackend('throw new Error("no such thing", { cause: new Error("the disk") })');
    const { code, err } = await new Ojm(folder, ["locks", "a.yaml"], { ...process.env, OJM_DEBUG: "1" }).ended;
    expect(code).toBe(1);
    expect(err).toMatch(/^ojm: no such thing\n.*\nError: no such thing\n {4}at .*own\.mjs:1:\d+.*the disk/s);
  });
});
