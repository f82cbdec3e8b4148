import { mkdir, realpath, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ojm/testing/folder";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { FakeClock } from "../testing/fake-clock.js";
import { rejection } from "../testing/settle.js";
import { HandDriven } from "../testing/stores/hand-driven.js";
import type { Clock } from "../util/clock.js";
import type { Backend, BackendType } from "./backend/backend.js";
import { registerBackend } from "./backend/find-type.js";
import { ChannelError } from "./errors.js";
import { isData, openChannel } from "./open.js";

/** A type that counts its open stores, and fails if one store is opened twice. */
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

describe("shared stores", () => {
  test("a store is shared by channels that open it with equal args in any order, and the last one closes it", async () => {
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

  test("a store is opened once when many channels open it at once", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => openChannel(`${i}`, { backend: type })));
    expect(type.opened).toBe(1);
    await Promise.all(all.map((channel) => channel.close()));
    expect(type.open_.length).toBe(0);
  });

  test("a store is not shared for other args, another clock, or another client object", async () => {
    const client = new (class Client {})();
    const other = new (class Client {})();
    const every = [{}, { a: 1 }, { a: "1" }, { client }, { client: other }, { client, f: () => 1 }, { f: () => 2 }];
    for (const args of every) await openChannel("a", { backend: type, args });
    await openChannel("a", { backend: type, clock: new FakeClock() });
    expect(type.opened).toBe(8);
    await openChannel("b", { backend: type, args: { client } });
    expect(type.opened).toBe(8);
  });

  test("a store can be opened again after it was closed", async () => {
    for (let i = 1; i <= 3; i++) {
      const channel = await openChannel("a", { backend: type, args: { exclusive: true } });
      expect(type.opened).toBe(i);
      await channel.close();
    }
  });

  test("a store that is being closed is opened again only when it is closed", async () => {
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

  test("a store is never handed out closed, whenever its last channel closes", async () => {
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

  test("a store that failed to open is tried again by the next channel", async () => {
    const open = vi.fn(type.open);
    open.mockRejectedValueOnce(new ChannelError("UNAVAILABLE", "down", { retryable: true }));
    const flaky: BackendType = { type: "flaky", open };
    expect(await rejection(openChannel("a", { backend: flaky }))).toMatchObject({ code: "UNAVAILABLE" });
    await (await openChannel("a", { backend: flaky })).close();
    expect(open).toHaveBeenCalledTimes(2);
  });

  test("a store that the caller opened and passed in stays open", async () => {
    const store: Backend = new HandDriven();
    const one = await openChannel("a", { backend: store });
    const two = await openChannel("b", { backend: store });
    expect(one.joins(two)).toBe(true);
    await one.close();
    await two.close();
    expect((store as HandDriven).closed).toBe(false);
    await (await openChannel("a", { backend: store })).get("x");
  });

  test("a store gets the clock of its channel", async () => {
    const clock = new FakeClock();
    await openChannel("a", { backend: type, clock });
    expect(type.clock).toBe(clock);
  });

  test("two channels of one store commit in one step only if the store supports that", async () => {
    const apart = new HandDriven({ commitAcrossChannels: false });
    const one = await openChannel("a", { backend: apart });
    const two = await openChannel("b", { backend: apart });
    expect(one.joins(two)).toBe(false);
    expect(await rejection(one.commitWith([], [{ channel: two, ops: [] }]))).toMatchObject({ code: "NOT_SUPPORTED" });
    const elsewhere = await openChannel("b", { backend: new HandDriven() });
    expect(await rejection(elsewhere.commitWith([], [{ channel: one, ops: [] }]))).toMatchObject({
      code: "NOT_SUPPORTED",
    });
  });
});

describe("types of backends", () => {
  const message = async (name: unknown): Promise<string> => {
    const error = await rejection(openChannel("a", { type: name as string }));
    expect(error).toMatchObject({ name: "ChannelError", code: "UNKNOWN_TYPE" });
    return (error as Error).message;
  };

  test("the default type is simple, which keeps its data in memory as long as the process lives", async () => {
    const one = await openChannel("by default");
    const two = await openChannel("by default", { type: "simple" });
    await one.set("a", 1);
    expect(await two.get("a")).toBe(1);
    await one.close();
    await two.close();
    // The store lasts as long as the process.
    const three = await openChannel("by default");
    expect(await three.get("a")).toBe(1);
    await three.destroy();
  });

  test("a registered type is found by its name and by its aliases", async () => {
    registerBackend({ type: "mine", aliases: ["my"], open: type.open });
    const one = await openChannel("a", { type: "mine" });
    const two = await openChannel("b", { type: "my" });
    expect(one.joins(two)).toBe(true);
  });

  test.each([
    ["ignite", /Apache Ignite.*redis or etcd.*sqlite/],
    ["sqllite", /Did you mean "sqlite"/],
    ["Simple", /Did you mean "simple"/],
    ["no-such-thing-at-all", /Types are simple, redis, sqlite, etcd, postgres, level/],
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
  ])("the unknown type %s is reported by an error of one line", async (name, text) => {
    const told = await message(name);
    expect(told).toMatch(text);
    expect(told).not.toContain("\n");
  });

  test.each([{ name: 5 }, { name: true }, { name: {} }, { name: [] }])(
    "a type that is not a text is refused: $name",
    async ({ name }) => {
      const error = await rejection(openChannel("a", { type: name as unknown as string }));
      expect(error).toMatchObject({ code: "INVALID_CONFIG" });
    },
  );

  test.each([{ args: "file.db" }, { args: 5 }, { args: ["a"] }])(
    "args that are not a map are refused: $args",
    async ({ args }) => {
      const error = await rejection(
        openChannel("a", { type: "simple", args: args as unknown as Record<string, unknown> }),
      );
      expect(error).toMatchObject({ code: "INVALID_CONFIG" });
      expect((error as Error).message).toContain("args");
    },
  );

  test("a type refuses an option that it does not know", async () => {
    const error = await rejection(openChannel("a", { type: "simple", args: { file: "x" } }));
    expect(error).toMatchObject({ code: "INVALID_CONFIG" });
    expect((error as Error).message).toContain('no option "file"');
  });

  test.each(["", 5, undefined])("a channel needs a name that is a text and not empty: not %j", async (name) => {
    expect(await rejection(openChannel(name as string))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("backends in modules", () => {
  let folder: string;

  beforeEach(async () => {
    folder = temporaryFolder();
    vi.spyOn(process, "cwd").mockReturnValue(folder);
  });

  const good = `
    const store = { supports: { commitAcrossChannels: true }, read: async (keys) => keys.map(() => undefined), close: async () => {} };
    const backend = { type: "good", open: async () => ({ ...store, commit: async () => ({ ok: true, version: "7" }) }) };`;

  /** A package beside the user's program, which this package cannot resolve. */
  async function install(name: string, source: string): Promise<void> {
    const home = join(folder, "node_modules", name);
    await mkdir(home, { recursive: true });
    await writeFile(join(home, "package.json"), JSON.stringify({ name, type: "module", exports: "./index.js" }));
    await writeFile(join(home, "index.js"), source);
  }

  test.each([
    ["backend", "export { backend };"],
    ["default", "export default backend;"],
  ])("a backend module is found by its path, with its export %s", async (_, exported) => {
    await writeFile(join(folder, "mine.mjs"), good + exported);
    await expect((await openChannel("a", { type: join(folder, "mine.mjs") })).set("a", 1)).resolves.toBe(
      "0000000000000000007",
    );
  });

  test("a backend module is found by a path relative to the working folder, even with a space in it", async () => {
    await mkdir(join(folder, "my stores"));
    await writeFile(join(folder, "mine.mjs"), `${good}export default backend;`);
    const channel = await openChannel("a", { type: "./mine.mjs" });
    expect(await channel.set("a", 1)).toBe("0000000000000000007");
    await writeFile(join(folder, "my stores", "mine.mjs"), `${good}export default backend;`);
    expect(await (await openChannel("a", { type: "./my stores/mine.mjs" })).set("a", 1)).toBe("0000000000000000007");
  });

  test("a backend module is found as a package that the user's program has installed", async () => {
    await install("ojm-test-good", `${good}export { backend };`);
    expect(await (await openChannel("a", { type: "ojm-test-good" })).set("a", 1)).toBe("0000000000000000007");
    await install("@ojm/testgood", `${good}export { backend };`);
    expect(await (await openChannel("a", { type: "testgood" })).set("a", 1)).toBe("0000000000000000007");
  });

  test("a backend module is found in the scope of another author, and is not found as a part of a package", async () => {
    await install("@ojmtest/store", `${good}export { backend };`);
    expect(await (await openChannel("a", { type: "@ojmtest/store" })).set("a", 1)).toBe("0000000000000000007");
    expect(await rejection(openChannel("a", { type: "@ojmtest/other" }))).toMatchObject({ code: "UNKNOWN_TYPE" });
    expect(await rejection(openChannel("a", { type: "ojmtest/part" }))).toMatchObject({ code: "UNKNOWN_TYPE" });
  });

  test("a package of a clone of ojm that is not built says which command builds it", async () => {
    const [name, clone] = ["@ojm/testunbuilt", join(await realpath(folder), "clone")];
    await mkdir(join(clone, "packages/testunbuilt"), { recursive: true });
    const manifest = { name, type: "module", exports: "./dist/index.js" };
    await writeFile(join(clone, "packages/testunbuilt/package.json"), JSON.stringify(manifest));
    await mkdir(join(folder, "node_modules/@ojm"), { recursive: true });
    await symlink(join(clone, "packages/testunbuilt"), join(folder, "node_modules", name), "dir");
    expect(await rejection(openChannel("a", { type: "testunbuilt" }))).toMatchObject({
      code: "UNKNOWN_TYPE",
      message: `the package ${name} is not built: run npm run build in ${clone}`,
    });
  });

  test("a module that exports no backend is reported as that", async () => {
    await install("ojm-test-empty", "export const x = 1;");
    const error = await rejection(openChannel("a", { type: "ojm-test-empty" }));
    expect(error).toMatchObject({ code: "UNKNOWN_TYPE" });
    expect((error as Error).message).toContain("exports no backend");
  });

  test("a module that throws while it loads is reported with the type and the cause", async () => {
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

  test("a module with a syntax error is reported with the type and the cause", async () => {
    await writeFile(join(folder, "broken.mjs"), "export const = 5;");
    const error = await rejection(openChannel("a", { type: "./broken.mjs" }));
    expect(error).toMatchObject({ code: "FAILED", cause: expect.any(Error) });
  });

  test("a module whose own import is missing is not reported as missing itself", async () => {
    await install("@ojm/testneedy", 'import "ojm-no-such-driver";');
    const error = await rejection(openChannel("a", { type: "testneedy" }));
    expect(error).toMatchObject({
      code: "UNKNOWN_TYPE",
      message: expect.stringMatching(/npm install ojm-no-such-driver/),
    });
    expect((error as Error).message).toContain("ojm-no-such-driver");
    await writeFile(join(folder, "needy.mjs"), 'import "./needy.mjs.gone.mjs";');
    expect(await rejection(openChannel("a", { type: "./needy.mjs" }))).toMatchObject({ code: "FAILED" });
  });
});

describe("the locator by which another thread opens the same channel", () => {
  const origin = async (...[name, options]: Parameters<typeof openChannel>): Promise<unknown> => {
    await using channel = await openChannel(name, options);
    return channel.locator;
  };

  test("a channel has a locator where its type is that of a package, and none where it was registered", async () => {
    const args = { name: "x", list: [1, { deep: true }] };
    expect(await origin("a", { type: "simple" })).toEqual({ name: "a", type: "@ojm/simple", kind: "simple", args: {} });
    registerBackend({ ...type, type: "only here" });
    expect(await origin("a", { type: "only here", args })).toBeUndefined();
    registerBackend({ ...type, type: "elsewhere" }, "/some/where.js");
    const found = { name: "a", type: "/some/where.js", kind: "elsewhere", args };
    expect(await origin("a", { type: "elsewhere", args })).toEqual(found);
  });

  test("a channel has a locator where the program imported a backend of ojm by itself", async () => {
    const { backend } = await import("@ojm/simple");
    expect(await origin("a", { backend })).toEqual({ name: "a", type: "@ojm/simple", kind: "simple", args: {} });
  });

  test("a channel has no locator where the program passed in a backend of its own", async () => {
    expect(await origin("a", { backend: type })).toBeUndefined();
    expect(await origin("a", { backend: new HandDriven() })).toBeUndefined();
  });

  test.each([
    [{ host: "x", retries: 3, tls: { ca: Buffer.from("x") }, nodes: ["a"], none: undefined }, true],
    [{ client: new Counting() }, false],
    [{ tls: { check: () => true } }, false],
    [{ nodes: [new Date()] }, false],
  ])("a locator holds args of plain data, and no live objects: case %#", (args, data) => {
    expect(isData(args)).toBe(data);
  });
});
