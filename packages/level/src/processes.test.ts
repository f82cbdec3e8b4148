import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { systemClock } from "@ojm/core/backend";
import { channel, write } from "@ojm/testing/backends";
import { temporaryFolder } from "@ojm/testing/folder";
import { jsArgs } from "@ojm/testing/programs";
import { describe, expect, it, onTestFinished } from "vitest";
import { backend } from "./index.js";
import { openLevel } from "./testing/backends.js";

/** Runs a program in a process of its own. `limit` is the most KiB that it may write into one file. */
function start(program: string, limit?: number): { child: ChildProcess; lines: AsyncIterator<string> } {
  const code = `
    import { systemClock } from "@ojm/core/backend";
    import { backend } from "@ojm/level";
    ${program}
  `;
  const args = [...jsArgs(), "--input-type=module", "-e", code];
  const command = limit === undefined ? process.execPath : "bash";
  const all = limit === undefined ? args : ["-c", `ulimit -f ${limit}; exec "$0" "$@"`, process.execPath, ...args];
  const child = spawn(command, all, {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return {
    child,
    lines: createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })[Symbol.asyncIterator](),
  };
}

describe("a second process", () => {
  it("a second process that opens the folder fails with IN_USE and advice, until the first process is gone", async () => {
    const path = temporaryFolder();
    const { child, lines } = start(`
      await backend.open({ path: ${JSON.stringify(path)} }, { clock: systemClock });
      console.log("open");
      setInterval(() => {}, 1000);
    `);
    await lines.next();
    const second = backend.open({ path }, { clock: systemClock });
    await expect(second).rejects.toMatchObject({
      code: "IN_USE",
      message: expect.stringMatching(/another process.*"sqlite".*"redis" or "etcd"/),
    });
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    const level = await openLevel(path);
    await write(level, { key: "c a", value: "1" });
  });
});

describe("a process that is killed amid writes", () => {
  it("a process that is killed amid writes leaves all acknowledged commits, none by half, and reuses no version", async () => {
    const path = temporaryFolder();
    const { child, lines } = start(`
      const level = await backend.open({ path: ${JSON.stringify(path)} }, { clock: systemClock });
      for (let i = 0; ; i++) {
        const writes = [{ key: "c a" + i, value: "1" }, { key: "c b" + i, value: "1" }];
        level.commit({ checks: [], writes }).then(({ version }) => process.stdout.write(i + " " + version + "\\n"));
        if (i % 20 === 19) await new Promise((resolve) => setImmediate(resolve));
      }
    `);
    const acknowledged: [number, string][] = [];
    const gone = once(child, "exit");
    for (let line = await lines.next(); !line.done; line = await lines.next()) {
      const [i = "", version] = line.value.split(" ");
      // The kill may cut the last line short.
      if (version !== undefined && version !== "") acknowledged.push([Number(i), version]);
      if (acknowledged.length === 2_000) child.kill("SIGKILL");
    }
    await gone;
    acknowledged.pop();
    const level = await openLevel(path);
    const keys = acknowledged.flatMap(([i]) => [`c a${i}`, `c b${i}`]);
    const entries = await level.read(keys);
    expect(entries.filter((entry) => entry === undefined)).toEqual([]);
    expect(entries.filter((_, i) => i % 2 === 0).map((entry) => entry?.version)).toEqual(
      acknowledged.map(([, v]) => v),
    );
    const page = await level.scan({ ...channel("c"), reverse: false, limit: 1_000_000, values: true });
    expect(page.entries.length % 2).toBe(0);
    const last = Math.max(...page.entries.map(({ version }) => Number(version)));
    expect(Number(await write(level, { key: "c x", value: "1" }))).toBeGreaterThan(last);
  });
});

describe("a full disk", () => {
  it("a full disk fails a commit with FULL, keeps what was acknowledged, and the store continues once there is room", async () => {
    const path = temporaryFolder();
    const { lines } = start(
      `
      const level = await backend.open({ path: ${JSON.stringify(path)} }, { clock: systemClock });
      const value = JSON.stringify("x".repeat(50_000));
      const acknowledged = [];
      let failed;
      for (let i = 0; failed === undefined || acknowledged.at(-1) < failed.i + 5; i++) {
        await level.commit({ checks: [], writes: [{ key: "c " + i, value }] }).then(
          () => acknowledged.push(i),
          ({ code, outcome, retryable }) => { failed ??= { i, code, outcome, retryable }; },
        );
      }
      await level.close();
      console.log(JSON.stringify({ acknowledged, failed }));
    `,
      1_000,
    );
    const { acknowledged, failed } = JSON.parse((await lines.next()).value);
    expect(failed).toMatchObject({ code: "FULL", outcome: "unknown", retryable: true });
    const level = await openLevel(path);
    const entries = await level.read(acknowledged.map((i: number) => `c ${i}`));
    expect(entries.filter((entry) => entry === undefined)).toEqual([]);
  });

  it("reads and scans fail with nothing but FULL while the store is opened again on a full disk", async () => {
    const { lines } = start(
      `
      const level = await backend.open({ path: ${JSON.stringify(temporaryFolder())} }, { clock: systemClock });
      const value = JSON.stringify("x".repeat(50_000));
      const codes = {};
      const note = ({ code }) => { codes[code] = (codes[code] ?? 0) + 1; };
      let over = false;
      const scanning = Array.from({ length: 8 }, async () => {
        while (!over) {
          await level.scan({ from: "c ", to: "c!", reverse: false, limit: 100, values: true }).catch(note);
          await level.read(["c 1"]).catch(note);
        }
      });
      for (let failed = 0, i = 0; failed < 20; i++) {
        await level.commit({ checks: [], writes: [{ key: "c " + i, value }] }).catch(() => { failed++; });
      }
      over = true;
      await Promise.all(scanning);
      await level.close();
      console.log(JSON.stringify(codes));
    `,
      1_000,
    );
    const codes = JSON.parse((await lines.next()).value);
    // Reopening it needs room on the disk too.
    expect(Object.keys(codes).filter((code) => code !== "FULL")).toEqual([]);
  });
});
