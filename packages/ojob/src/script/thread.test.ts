import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ScriptEnd, type ScriptHost, type ScriptThread, SharedGlobals, ThreadPool } from "./thread.js";

const script = new URL("../script-worker.cjs", import.meta.url);

/** Answers blocking calls by name, and records the output. */
class Host implements ScriptHost {
  readonly globals = new SharedGlobals();
  readonly ahead = 0;
  readonly printed: string[] = [];
  readonly answers: Record<string, (...parameters: readonly unknown[]) => unknown> = { room: () => undefined };

  async call(name: string, parameters: readonly unknown[]): Promise<unknown> {
    return this.answers[name]?.(...parameters);
  }

  log(level: string, message: string): void {
    this.printed.push(`${level} ${message}`);
  }

  print(text: string, toError: boolean): void {
    this.printed.push(toError ? `! ${text}` : text);
  }

  progress(progress: { readonly done: number; readonly total?: number | undefined }): void {
    this.printed.push(`${progress.done} of ${progress.total}`);
  }
}

let pool: ThreadPool;
let host: Host;
beforeEach(() => {
  pool = new ThreadPool({ script, memoryLimit: 64, files: [] });
  host = new Host();
});
afterEach(() => pool.close());

function runOn(thread: ScriptThread, code: string, args: Record<string, unknown> = {}): Promise<ScriptEnd> {
  return thread.run({ code, file: "/jobs.yaml", line: 10, args, job: { name: "Job" } }, host);
}

/** Runs a script as the only one of a job. */
async function run(code: string, args: Record<string, unknown> = {}): Promise<ScriptEnd> {
  const thread = pool.acquire();
  const end = await runOn(thread, code, args);
  pool.release(thread);
  return end;
}

describe("a script in a thread", () => {
  test("a script shares its args, returns a result, and prints in order", async () => {
    const code = "log('a'); print({b: 1}); printErr('c'); console.log('d'); args.n++; args.f = () => 1; return args.n;";
    expect(await run(code, { n: 1 })).toMatchObject({ args: { n: 2 }, result: 2 });
    expect(host.printed).toEqual(["INFO a", '{\n  "b": 1\n}\n', "! c\n", "d\n"]);
  });

  test("a script waits for a blocking call, and gets its answer or its error", async () => {
    host.answers["get"] = async (key) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (key === "bad") throw Object.assign(new Error("no such key"), { code: "MISSING" });
      return [key, 1];
    };
    const code = "try { $get('bad') } catch (e) { return [$get('good'), e.message, e.code, await $get('x')] }";
    expect((await run(code)).result).toEqual([["good", 1], "no such key", "MISSING", ["x", 1]]);
  });

  test("a script may await imports and timers, and require modules", async () => {
    const code =
      "const os = await import('node:os'); await new Promise(r => setTimeout(r, 5)); return typeof os.cpus + typeof require('fs').readFileSync";
    expect((await run(code)).result).toBe("functionfunction");
  });

  test("a script that fails has a stack with the lines of the job file", async () => {
    const { failure } = await run("\nfunction f() {\n  nothing();\n}\nf();");
    expect(failure).toMatchObject({ name: "ReferenceError", message: "nothing is not defined" });
    expect(failure?.stack).toMatch(/at f \(\/jobs\.yaml:12:3\)\n\s+at .*\/jobs\.yaml:14:1/);
  });

  test("a script that awaits and then fails has a stack with the same lines and columns", async () => {
    const { failure } = await run("await null;\n  nothing();");
    expect(failure?.stack).toMatch(/\/jobs\.yaml:11:3/);
  });

  test.each([
    ["throw 'text'", "text", "text"],
    ["throw {a: 1}", '{"a":1}', { a: 1 }],
    ["throw undefined", "undefined", undefined],
  ])("a script may throw any value: %s", async (code, message, value) => {
    expect((await run(code)).failure).toEqual({ name: "", message, thrown: { value } });
  });

  test("a script that fails inside a blocking call fails at the line of the call", async () => {
    host.answers["get"] = () => Promise.reject(new Error("down"));
    expect((await run("let a;\na = $get('x');")).failure?.stack).toMatch(/\/jobs\.yaml:11:/);
  });
});

describe("scripts that go wrong", () => {
  test.each([
    ["process.exit()", /process\.exit\(\), or waits for something that can never happen/],
    ["function f() { f() } f()", /Maximum call stack size exceeded/],
    ["process.abort()", /process\.abort\(\) is not supported in workers/],
    ["process.nextTick(() => { throw new Error('tick') }); await new Promise(r => setTimeout(r, 1000))", /tick/],
    ["process.exit(3)", /ended its thread with exit code 3/],
    ["await new Promise(() => {})", /waits for something that can never happen/],
    ["Promise.reject(new Error('late')); await new Promise(r => setTimeout(r, 1000))", /late/],
    ["setTimeout(() => { throw new Error('timer') }, 1); await new Promise(r => setTimeout(r, 1000))", /timer/],
    ["const all = []; for (;;) all.push(new Array(1000).fill(all.length))", /filled its memory, 64 MB/],
  ])("a script that goes wrong fails alone, and the next script runs: %s", async (code, message) => {
    expect((await run(code)).failure?.message).toMatch(message);
    expect((await run("return 1")).result).toBe(1);
  });

  test("a script in an endless loop ends when its thread is ended, with the given reason", async () => {
    const thread = pool.acquire();
    const running = runOn(thread, "log('on'); for (;;) {}");
    while (host.printed.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await thread.end({ name: "RunError", message: "too long", code: "TIMEOUT" });
    expect((await running).failure).toMatchObject({ message: "too long", code: "TIMEOUT" });
  });
});

test("a late rejection in the script of one job never hits the next job", async () => {
  for (let i = 0; i < 5; i++) {
    await run(`new Promise((_, no) => setTimeout(() => no(new Error('late')), ${i}).unref()); 1;`);
    const end = await run("sleep(10); await new Promise(r => setTimeout(r, 10)); return 'fine'");
    expect(end).toMatchObject({ result: "fine" });
  }
});

describe("a script that is asked to stop", () => {
  test("a script that is asked to stop gets one error, from the call in which it waits, and may clean up", async () => {
    host.answers["get"] = () => new Promise(() => {});
    host.answers["set"] = () => "cleaned";
    const thread = pool.acquire();
    const running = runOn(thread, "log('on'); try { $get('x') } catch (e) { sleep(1); return [e.code, $set('y', 1)] }");
    while (host.printed.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    thread.stop();
    expect((await running).result).toEqual(["CANCELLED", "cleaned"]);
  });

  test("a script that is asked to stop wakes from its sleep, and by job.signal from what it awaits", async () => {
    const code = "log('on'); try { sleep(60000, true) } catch (e) { return job.signal.aborted || e.code }";
    const awaiting =
      "log('on'); await new Promise(r => { const t = setTimeout(r, 60000); job.signal.onabort = () => { clearTimeout(t); r() } }); return 'told'";
    for (const [text, result] of [
      [code, "CANCELLED"],
      [awaiting, "told"],
    ] as const) {
      host.printed.length = 0;
      const thread = pool.acquire();
      const running = runOn(thread, text);
      while (host.printed.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      thread.stop();
      expect((await running).result).toBe(result);
      pool.release(thread);
    }
  });
});

describe("globals of scripts", () => {
  test("globals that are data are seen by all threads, functions by their own thread only", async () => {
    const [one, two] = [pool.acquire(), pool.acquire()];
    await runOn(one, "global.count = 1; global.list = [1]; undeclared = { a: 1 }; global.f = () => 7;");
    expect((await runOn(two, "count++; list.push(2); return [count, list, undeclared, typeof f]")).result).toEqual([
      2,
      [1, 2],
      { a: 1 },
      "undefined",
    ]);
    expect((await runOn(one, "return [count, global.list, f()]")).result).toEqual([2, [1, 2], 7]);
  });
});

test("a stop that comes while files are loaded reaches the script", async () => {
  const thread = pool.acquire();
  thread.load({
    loads: [join(folderWith({ "slow.mjs": "await new Promise((r) => setTimeout(r, 50))" }), "slow.mjs")],
    modules: [],
  });
  const end = runOn(thread, "try { sleep(60000) } catch (e) { return [e.code, job.signal.aborted] }");
  thread.stop();
  expect((await end).result).toEqual(["CANCELLED", true]);
});

describe("files to load (ojob.loads)", () => {
  const loading = async (files: Readonly<Record<string, string>>, code: string): Promise<ScriptEnd> => {
    const folder = folderWith(files);
    const loader = new ThreadPool({
      script,
      memoryLimit: 64,
      files: Object.keys(files).map((name) => `${folder}/${name}`),
    });
    try {
      return await runOn(loader.acquire(), code);
    } finally {
      await loader.close();
    }
  };

  test("files to load define functions by declaration, by exports, or as a module", async () => {
    const files = {
      "a.js": "function a() { return 1 }\nconst hidden = 2;\nvar b = hidden;",
      "c.cjs": "exports.c = () => require('node:path').sep",
      "d.mjs": "export const d = await Promise.resolve(4)",
    };
    expect((await loading(files, "return [a(), b, c(), d]")).result).toEqual([1, 2, "/", 4]);
  });

  test("a file that does not load fails the script, with the file's name", async () => {
    const { failure } = await loading({ "bad.js": "nothing()" }, "return 1");
    expect(failure?.message).toMatch(/^cannot load .*bad\.js: ReferenceError: nothing is not defined$/);
  });
});
