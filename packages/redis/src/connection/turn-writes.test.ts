import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { joinWrites } from "./turn-writes.js";

/** A socket that records each write to the system. */
class Recorder extends Duplex {
  unref(): void {}

  readonly sent: string[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.sent.push(chunk.toString());
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.sent.push(chunks.map(({ chunk }) => chunk.toString()).join(""));
    done();
  }
}

function recorder(): Recorder {
  const socket = new Recorder();
  joinWrites(socket);
  return socket;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("writes to the socket of Redis", () => {
  it("the commands of one turn leave in one write, also those of its microtasks, in their order", async () => {
    const socket = recorder();
    await nextTurn();
    socket.write("a");
    await Promise.resolve();
    socket.write("b");
    await Promise.resolve().then(() => Promise.resolve());
    socket.write("c");
    expect(socket.sent).toEqual([]);
    await nextTurn();
    expect(socket.sent).toEqual(["abc"]);
  });

  it("a lone command leaves before the turn ends, and so does the next one", async () => {
    const socket = recorder();
    for (const [i, text] of ["a", "b"].entries()) {
      socket.write(text);
      await new Promise<void>((resolve) => process.nextTick(resolve));
      expect(socket.sent).toHaveLength(i + 1);
    }
    expect(socket.sent).toEqual(["a", "b"]);
  });

  it("a command of a tick that runs while a turn ends is not held back", async () => {
    const socket = recorder();
    process.nextTick(() => socket.write("a"));
    await nextTurn();
    expect(socket.sent).toEqual(["a"]);
  });

  it("a socket that breaks before the turn ends fails no later write", async () => {
    const socket = recorder();
    socket.on("error", () => {});
    socket.write("a");
    socket.destroy();
    await nextTurn();
    expect(socket.sent).toEqual([]);
  });
});
