import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { freePort, onFreePorts, releasePort } from "./free-port.js";

/** Another copy of the module. Like another process, it shares only the system's ports with ours. */
async function another(): Promise<typeof import("./free-port.js")> {
  vi.resetModules();
  return await import("./free-port.js");
}

/** Makes `port` the next choice. */
function choose(port: number, distance = 0): void {
  const number = (port - 20_000 + distance) / 2;
  vi.spyOn(Math, "random").mockReturnValueOnce((number + 0.5) / 6_000);
}

describe("a free port", () => {
  it.each([0, 10_000])(
    "a free port is given to one process only, until it is released: distance %d",
    async (distance) => {
      const other = await another();
      const port = await freePort(distance);
      onTestFinished(() => releasePort(port));
      choose(port, distance);
      const theirs = await other.freePort(distance);
      onTestFinished(() => other.releasePort(theirs));
      expect(theirs).not.toBe(port);
    },
  );

  it("a free port is not at the distance of another one", async () => {
    const other = await another();
    const port = await freePort(10_000);
    onTestFinished(() => releasePort(port));
    choose(port + 10_000);
    const theirs = await other.freePort();
    onTestFinished(() => other.releasePort(theirs));
    expect(theirs).not.toBe(port + 10_000);
  });

  it("a port that was released is given out again", async () => {
    const other = await another();
    const port = await freePort();
    releasePort(port);
    choose(port);
    expect(await other.freePort()).toBe(port);
    other.releasePort(port);
  });
});

describe("servers on free ports", () => {
  it("servers are started on other ports if another program took one after the check", async () => {
    const tried: number[][] = [];
    const server = await onFreePorts({ count: 2 }, async (first, second) => {
      tried.push([first ?? 0, second ?? 0]);
      const taken = createServer();
      await listen(taken, tried.length === 1 ? (tried[0]?.[1] ?? 0) : 0);
      onTestFinished(() => void taken.close());
      return await listen(createServer(), second ?? 0);
    });
    onTestFinished(() => void server.close());
    expect(tried.length).toBe(2);
    expect((server.address() as AddressInfo).port).toBe(tried[1]?.[1]);
  });

  it("a server that fails for another reason is not started again, and its ports are released", async () => {
    const start = vi.fn(async (port = 0) => {
      throw new Error(`port ${port}: no such option`);
    });
    await expect(onFreePorts({}, start)).rejects.toThrow("no such option");
    const [[port = 0] = []] = start.mock.calls;
    choose(port);
    expect(await freePort()).toBe(port);
    releasePort(port);
  });
});

function listen(server: ReturnType<typeof createServer>, port: number): Promise<typeof server> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
