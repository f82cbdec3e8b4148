import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folderWith } from "../testing/folder.js";
import { duration, Log } from "./log.js";
import { Output } from "./output.js";

test("a pipe that nobody reads holds back the writer, never the event loop", async () => {
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
  // The pipe holds 64 kB: the write hangs, and timers go on all the same.
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

test("a reader that is gone is no error", async () => {
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
  log.line("WARN", "careful", 0);
  log.line("ERROR", "broken", 1);
  await log.flush();
  expect(readFileSync(path, "utf8")).toBe(
    "1970-01-01T00:00:00.000Z | WARN  | careful\n1970-01-01T00:00:00.001Z | ERROR | broken\n",
  );
});

test.each([
  [0.4, "0 ms"],
  [999, "999 ms"],
  [1_200, "1.2 s"],
  [200_000, "3 min 20 s"],
  [7_500_000, "2 h 5 min"],
])("%d ms is %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});
