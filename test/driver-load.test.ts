import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { jsArgs } from "@ojm/testing/programs";
import { expect, test } from "vitest";

// The heartbeat thread calls `load` in advance. If `open` loaded more, a busy machine could take longer for
// it than the session lives.
test.each([
  ["etcd", "etcd3"],
  ["postgres", "pg"],
  ["redis", "ioredis"],
  ["sqlite", "better-sqlite3"],
])("the type %s loads its driver, %s, before a store is opened", async (type, driver) => {
  const program = `import Module from "node:module";
    import { backend } from "@ojm/${type}";
    const isLoaded = () => Object.keys(Module._cache).some((file) => file.includes("/node_modules/${driver}/"));
    const before = isLoaded();
    await backend.load();
    console.log(before, isLoaded());`;
  const args = [...jsArgs(), "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toBe("false true\n");
});
