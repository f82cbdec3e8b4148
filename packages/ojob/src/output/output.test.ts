import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { Log } from "./log.js";
import { Output } from "./output.js";

test("a pipe without a reader holds back the writer, never the event loop", async () => {
  const pipe = join(folderWith({}), "pipe");
  execFileSync("mkfifo", [pipe]);
  const fd = openSync(pipe, constants.O_RDWR);
  const output = new Output();
  const text = "0123456789abcdef".repeat(256 * 1024);
  output.write(fd, text);
  let room = false;
  void output.room().then(() => {
    room = true;
  });
  // The pipe holds 64 kB: the write hangs, but timers still fire.
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(room).toBe(false);
  let read = "";
  const chunk = Buffer.alloc(65_536);
  while (read.length < text.length) {
    read += chunk.toString("latin1", 0, readSync(fd, chunk));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await output.flush();
  await output.room();
  closeSync(fd);
  expect(read === text).toBe(true);
});

test("output that cannot be written, for a reader that left, is not an error, and other output continues", async () => {
  const output = new Output();
  const [full, path] = [openSync("/dev/full", "w"), join(folderWith({ out: "" }), "out")];
  const fd = openSync(path, "w");
  for (const text of ["a", "b", "c"]) {
    output.write(full, text);
    output.write(fd, text);
  }
  await output.flush();
  output.write(full, "d");
  output.write(fd, "d");
  await output.flush();
  expect(readFileSync(path, "utf8")).toBe("abcd");
});

test("a log line has its time, its level and its message", async () => {
  const path = join(folderWith({ out: "" }), "out");
  const fd = openSync(path, "w");
  const log = new Log(fd, fd);
  log.scriptLine("WARN", "careful", 0, "A");
  log.scriptLine("ERROR", "broken", 1, "A");
  await log.flush();
  expect(readFileSync(path, "utf8")).toBe(
    "1970-01-01T00:00:00.000Z | WARN  | careful\n1970-01-01T00:00:00.001Z | ERROR | broken\n",
  );
});

/** What a log shows, each line without its time. */
async function logged(use: (log: Log) => void): Promise<string[]> {
  const path = join(folderWith({ out: "" }), "out");
  const fd = openSync(path, "w");
  const log = new Log(fd, fd);
  use(log);
  await log.flush();
  closeSync(fd);
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => line.replace(/^\S+Z \| /, ""));
}

test("a name from a job file or a store cannot send escape sequences to the terminal, or forge a log line", async () => {
  const name = "a\u001b[2J\u009b\u202e\nWARN  | forged";
  const shown = "a\\u001b[2J\\u009b\\u202e\\nWARN  | forged";
  const lines = await logged((log) => {
    log.line("WARN", `"${name}" is due`);
    log.started(name);
    log.ended(name, 5, true);
    log.failure(name, "first\n\tsecond\u001b[2J");
  });
  expect(lines).toEqual([
    `WARN  | "${shown}" is due`,
    `>> ${shown}`,
    `<< ${shown}: done after 5 ms`,
    `ERROR | job "${shown}" failed: first`,
    "\tsecond\\u001b[2J",
  ]);
});

test("text that a script logs or prints stays as it is, escape sequences included", async () => {
  const lines = await logged((log) => {
    log.scriptLine("INFO", "\u001b[32mgood\u001b[0m", 0, "A");
    log.print("\u001b[1mbold\u001b[0m\n");
  });
  expect(lines).toEqual(["INFO  | \u001b[32mgood\u001b[0m", "\u001b[1mbold\u001b[0m"]);
});

test("a log line in JSON holds the message as it was logged, in printable ASCII only", async () => {
  const message = "a\u001b[2J\u009b\u202e\n";
  const [line = ""] = await logged((log) => {
    log.use({ json: true });
    log.scriptLine("INFO", message, 0, message);
  });
  expect(line).toMatch(/^[ -~]+$/);
  expect(JSON.parse(line)).toEqual({ time: "1970-01-01T00:00:00.000Z", level: "INFO", message, job: message });
});
