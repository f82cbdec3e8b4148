import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeClock } from "../testing/fake-clock.js";
import { rejection } from "../testing/settle.js";
import { HandDriven } from "../testing/stores/hand-driven.js";
import type { Clock } from "../util/clock.js";
import type { Backend, BackendType } from "./backend/backend.js";
import { registerBackend } from "./backend/find-type.js";
import { isData } from "./backend/plain-data.js";
import { ChannelError } from "./errors.js";
import { openChannel } from "./open.js";

/** A type that counts what is open, and refuses to have the same store open twice. */
class Counting implements BackendType {
  readonly type = "counting";
  readonly open_: HandDriven[] = [];
  opened = 0;
  clock: Clock | undefined;
  slow: Promise<void> = Promise.resolve();

  readonly open: BackendType["open"] = async (_args, { clock }) => {
    if (this.open_.length > 0 && _args["exclusive"] === true) throw new ChannelError("IN_USE", "it is open already");
    this.opened++;
    this.clock = clock;
    const store = new HandDriven();
    this.open_.push(store);
    store.close = async () => {
      await this.slow;
      store.closed = true;
      this.open_.splice(this.open_.indexOf(store), 1);
    };
    const read = store.read.bind(store);
    store.read = async (keys) => {
      if (store.closed) throw new Error("used after close");
      return read(keys);
    };
    return store;
  };
}

let type: Counting;

beforeEach(() => {
  type = new Counting();
});

describe("a store", () => {
  test("is shared by all who open it with equal args, whatever their order, and closed by the last", async () => {
    const one = await openChannel("a", { backend: type, args: { x: 1, y: { b: [1], a: 2 } } });
    const two = await openChannel("b", { backend: type, args: { y: { a: 2, b: [1] }, x: 1 } });
    expect(type.opened).toBe(1);
    expect(one.joins(two)).toBe(true);
    await one.close();
    await one.close();
    expect(type.open_.length).toBe(1);
    await two.get("x");
    await two.close();
    expect(type.open_.length).toBe(0);
  });

  test("is opened once by many who come at once", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => openChannel(`${i}`, { backend: type })));
    expect(type.opened).toBe(1);
    await Promise.all(all.map((channel) => channel.close()));
    expect(type.open_.length).toBe(0);
  });

  test("is not shared for other args, another clock, or another client object", async () => {
    const client = new (class Client {})();
    const other = new (class Client {})();
    const every = [{}, { a: 1 }, { a: "1" }, { client }, { client: other }, { client, f: () => 1 }, { f: () => 2 }];
    for (const args of every) await openChannel("a", { backend: type, args });
    await openChannel("a", { backend: type, clock: new FakeClock() });
    expect(type.opened).toBe(8);
    await openChannel("b", { backend: type, args: { client } });
    expect(type.opened).toBe(8);
  });

  test("is opened anew after it was closed", async () => {
    for (let i = 1; i <= 3; i++) {
      const channel = await openChannel("a", { backend: type, args: { exclusive: true } });
      expect(type.opened).toBe(i);
      await channel.close();
    }
  });

  test("that is being closed is opened anew only when it is closed", async () => {
    const one = await openChannel("a", { backend: type, args: { exclusive: true } });
    let goOn: () => void = () => {};
    type.slow = new Promise((resolve) => {
      goOn = resolve;
    });
    const closing = one.close();
    const opening = openChannel("a", { backend: type, args: { exclusive: true } });
    goOn();
    await closing;
    await (await opening).get("x");
  });

  test("is never handed out closed, whenever its last user leaves", async () => {
    for (let turns = 0; turns < 12; turns++) {
      const one = await openChannel("a", { backend: type });
      const two = openChannel("b", { backend: type });
      for (let i = 0; i < turns; i++) await Promise.resolve();
      const closing = one.close();
      const channel = await two;
      await channel.get("x");
      await closing;
      await channel.close();
      expect(type.open_.length).toBe(0);
    }
  });

  test("that could not be opened is tried again by the next", async () => {
    const open = vi.fn(type.open);
    open.mockRejectedValueOnce(new ChannelError("UNAVAILABLE", "down", { retryable: true }));
    const flaky: BackendType = { type: "flaky", open };
    expect(await rejection(openChannel("a", { backend: flaky }))).toMatchObject({ code: "UNAVAILABLE" });
    await (await openChannel("a", { backend: flaky })).close();
    expect(open).toHaveBeenCalledTimes(2);
  });

  test("that the caller opened stays open", async () => {
    const store: Backend = new HandDriven();
    const one = await openChannel("a", { backend: store });
    const two = await openChannel("b", { backend: store });
    expect(one.joins(two)).toBe(true);
    await one.close();
    await two.close();
    expect((store as HandDriven).closed).toBe(false);
    await (await openChannel("a", { backend: store })).get("x");
  });

  test("gets the clock that the channel has", async () => {
    const clock = new FakeClock();
    await openChannel("a", { backend: type, clock });
    expect(type.clock).toBe(clock);
  });

  test("lets two channels commit in one step only if it can", async () => {
    const apart = new HandDriven({ commitAcrossChannels: false });
    const one = await openChannel("a", { backend: apart });
    const two = await openChannel("b", { backend: apart });
    expect(one.joins(two)).toBe(false);
    expect(await rejection(one.commitWith([], two, []))).toMatchObject({ code: "NOT_SUPPORTED" });
    const elsewhere = await openChannel("b", { backend: new HandDriven() });
    expect(await rejection(elsewhere.commitWith([], one, []))).toMatchObject({ code: "NOT_SUPPORTED" });
  });
});

describe("a type", () => {
  const message = async (name: unknown): Promise<string> => {
    const error = await rejection(openChannel("a", { type: name as string }));
    expect(error).toMatchObject({ name: "ChannelError", code: "UNKNOWN_TYPE" });
    return (error as Error).message;
  };

  test("is in memory by default", async () => {
    const one = await openChannel("by default");
    const two = await openChannel("by default", { type: "simple" });
    await one.set("a", 1);
    expect(await two.get("a")).toBe(1);
    await one.close();
    await two.close();
    // It lasts as long as the process.
    const three = await openChannel("by default");
    expect(await three.get("a")).toBe(1);
    await three.destroy();
  });

  test("is found by a name and aliases that were registered", async () => {
    registerBackend({ type: "mine", aliases: ["my"], open: type.open });
    const one = await openChannel("a", { type: "mine" });
    const two = await openChannel("b", { type: "my" });
    expect(one.joins(two)).toBe(true);
  });

  test.each([
    ["ignite", /Apache Ignite.*redis or etcd.*sqlite/],
    ["sqllite", /Did you mean "sqlite"/],
    ["Simple", /Did you mean "simple"/],
    ["no-such-thing-at-all", /Types are simple, level, sqlite, redis, etcd/],
    ["with space", /no backend/],
    ["constructor", /no backend/],
    ["__proto__", /no backend/],
    ["toString", /no backend/],
    ["fs", /exports no backend/],
    ["node:fs", /exports no backend/],
    ["./no/such/file.js", /no backend/],
    ["/no/such/file.js", /no backend/],
    ["http://localhost/x", /no backend/],
    ["C:\\x\\y.js", /no backend/],
    ["@scope", /no backend/],
    [".", /no backend|could not be loaded/],
  ])("%s that is not there is told in one line", async (name, text) => {
    const told = await message(name);
    expect(told).toMatch(text);
    expect(told).not.toContain("\n");
  });

  test.each([{ name: 5 }, { name: true }, { name: {} }, { name: [] }])(
    "that is no name, $name, is refused",
    async ({ name }) => {
      const error = await rejection(openChannel("a", { type: name as unknown as string }));
      expect(error).toMatchObject({ code: "INVALID_CONFIG" });
    },
  );

  test.each([{ args: "file.db" }, { args: 5 }, { args: ["a"] }])("has no args like $args", async ({ args }) => {
    const error = await rejection(
      openChannel("a", { type: "simple", args: args as unknown as Record<string, unknown> }),
    );
    expect(error).toMatchObject({ code: "INVALID_CONFIG" });
    expect((error as Error).message).toContain("args");
  });

  test("has no option that it does not know", async () => {
    const error = await rejection(openChannel("a", { type: "simple", args: { file: "x" } }));
    expect(error).toMatchObject({ code: "INVALID_CONFIG" });
    expect((error as Error).message).toContain('no option "file"');
  });

  test.each(["", 5, undefined])("needs a channel with a name, not %j", async (name) => {
    expect(await rejection(openChannel(name as string))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("a module", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ojm-open-"));
    vi.spyOn(process, "cwd").mockReturnValue(folder);
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const good = `
    const store = { supports: { commitAcrossChannels: true }, read: async (keys) => keys.map(() => undefined), close: async () => {} };
    const backend = { type: "good", open: async () => ({ ...store, commit: async () => ({ ok: true, version: "7" }) }) };`;

  /** A package beside the user's program, where this one does not see it. */
  async function install(name: string, source: string): Promise<void> {
    const home = join(folder, "node_modules", name);
    await mkdir(home, { recursive: true });
    await writeFile(join(home, "package.json"), JSON.stringify({ name, type: "module", exports: "./index.js" }));
    await writeFile(join(home, "index.js"), source);
  }

  test.each([
    ["backend", "export { backend };"],
    ["default", "export default backend;"],
  ])("is found by its path, by its export %s", async (_, exported) => {
    await writeFile(join(folder, "mine.mjs"), good + exported);
    await expect((await openChannel("a", { type: join(folder, "mine.mjs") })).set("a", 1)).resolves.toBe("7");
  });

  test("is found by a path from the working folder, also with a space in it", async () => {
    await mkdir(join(folder, "my stores"));
    await writeFile(join(folder, "mine.mjs"), `${good}export default backend;`);
    const channel = await openChannel("a", { type: "./mine.mjs" });
    expect(await channel.set("a", 1)).toBe("7");
    await writeFile(join(folder, "my stores", "mine.mjs"), `${good}export default backend;`);
    expect(await (await openChannel("a", { type: "./my stores/mine.mjs" })).set("a", 1)).toBe("7");
  });

  test("is found as a package of the user's program", async () => {
    await install("ojm-test-good", `${good}export { backend };`);
    expect(await (await openChannel("a", { type: "ojm-test-good" })).set("a", 1)).toBe("7");
    await install("@ojm/testgood", `${good}export { backend };`);
    expect(await (await openChannel("a", { type: "testgood" })).set("a", 1)).toBe("7");
  });

  test("is found in a scope of somebody else's, and as a part of a package", async () => {
    await install("@ojmtest/store", `${good}export { backend };`);
    expect(await (await openChannel("a", { type: "@ojmtest/store" })).set("a", 1)).toBe("7");
    expect(await rejection(openChannel("a", { type: "@ojmtest/other" }))).toMatchObject({ code: "UNKNOWN_TYPE" });
    expect(await rejection(openChannel("a", { type: "ojmtest/part" }))).toMatchObject({ code: "UNKNOWN_TYPE" });
  });

  test("that exports no backend says so", async () => {
    await install("ojm-test-empty", "export const x = 1;");
    const error = await rejection(openChannel("a", { type: "ojm-test-empty" }));
    expect(error).toMatchObject({ code: "UNKNOWN_TYPE" });
    expect((error as Error).message).toContain("exports no backend");
  });

  test("that throws when it is loaded is told with the type and the cause", async () => {
    await install("ojm-test-throws", "throw new Error('no driver for this system');");
    const error = await rejection(openChannel("a", { type: "ojm-test-throws" }));
    expect(error).toMatchObject({
      name: "ChannelError",
      code: "FAILED",
      cause: { message: "no driver for this system" },
    });
    expect((error as Error).message).toContain('"ojm-test-throws"');
    expect((error as Error).message).toContain("no driver for this system");
  });

  test("with a syntax error is told with the type and the cause", async () => {
    await writeFile(join(folder, "broken.mjs"), "export const = 5;");
    const error = await rejection(openChannel("a", { type: "./broken.mjs" }));
    expect(error).toMatchObject({ code: "FAILED", cause: expect.any(Error) });
  });

  test("whose own import is missing is not called missing itself", async () => {
    await install("@ojm/testneedy", 'import "ojm-no-such-driver";');
    const error = await rejection(openChannel("a", { type: "testneedy" }));
    expect(error).toMatchObject({ code: "FAILED" });
    expect((error as Error).message).toContain("ojm-no-such-driver");
    await writeFile(join(folder, "needy.mjs"), 'import "./needy.mjs.gone.mjs";');
    expect(await rejection(openChannel("a", { type: "./needy.mjs" }))).toMatchObject({ code: "FAILED" });
  });
});

describe("how another thread can open the same channel", () => {
  const origin = async (...[name, options]: Parameters<typeof openChannel>): Promise<unknown> => {
    await using channel = await openChannel(name, options);
    return channel.locator;
  };

  test("is known where the type was found by its name, and by which one", async () => {
    const args = { name: "x", list: [1, { deep: true }] };
    expect(await origin("a", { type: "simple" })).toEqual({ name: "a", type: "@ojm/simple", args: {} });
    registerBackend({ ...type, type: "only here" });
    expect(await origin("a", { type: "only here", args })).toBeUndefined();
  });

  test("is known where the program imported one of ours by itself", async () => {
    const { backend } = await import("@ojm/simple");
    expect(await origin("a", { backend })).toEqual({ name: "a", type: "@ojm/simple", args: {} });
  });

  test("is not known where a backend was handed over that only this program has", async () => {
    expect(await origin("a", { backend: type })).toBeUndefined();
    expect(await origin("a", { backend: new HandDriven() })).toBeUndefined();
  });

  test.each([
    [{ host: "x", retries: 3, tls: { ca: Buffer.from("x") }, nodes: ["a"], none: undefined }, true],
    [{ client: new Counting() }, false],
    [{ tls: { check: () => true } }, false],
    [{ nodes: [new Date()] }, false],
  ])("takes plain data and nothing that lives: case %#", (args, data) => {
    expect(isData(args)).toBe(data);
  });
});
