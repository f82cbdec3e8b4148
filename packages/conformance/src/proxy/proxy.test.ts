import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { http2Requests } from "./counters.js";
import { ServerProcess } from "./server-process.js";
import { TcpProxy } from "./tcp-proxy.js";

/** A server that sends back what it gets, a proxy to it, and a client through the proxy. */
async function echo() {
  const got: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      got.push(chunk.toString());
      socket.write(chunk);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await TcpProxy.start({ port: (server.address() as AddressInfo).port });
  onTestFinished(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { proxy, got, ...(await clientOf(proxy)) };
}

async function clientOf(proxy: TcpProxy) {
  const client = connect(proxy.port, "127.0.0.1");
  client.on("error", () => {});
  let received = "";
  client.on("data", (chunk: Buffer) => {
    received += chunk.toString();
  });
  await once(client, "connect");
  return { client, received: () => received };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("the TCP proxy", () => {
  it("the proxy passes on all data, and counts the round trips", async () => {
    const { proxy, client, received } = await echo();
    for (const text of ["a", "b", "c"]) {
      client.write(text);
      await expect.poll(received).toContain(text);
    }
    expect(received()).toBe("abc");
    expect(proxy.roundTrips).toBe(3);
  });

  it("the proxy holds back all data during a partition, and passes the data on in order afterwards", async () => {
    const { proxy, client, got, received } = await echo();
    const heal = await proxy.partition();
    client.write("a");
    await pause(50);
    client.write("b");
    await pause(50);
    expect(got).toEqual([]);
    await heal();
    client.write("c");
    await expect.poll(received).toBe("abc");
  });

  it("during a partition the proxy does not signal to one side that the other side has gone", async () => {
    const { proxy, client, got } = await echo();
    const heal = await proxy.partition();
    client.write("late");
    client.destroy();
    await pause(50);
    expect(got).toEqual([]);
    await heal();
    await expect.poll(() => got).toEqual(["late"]);
    await expect.poll(() => proxy.connections).toBe(0);
  });

  it("the proxy drops replies, and afterwards breaks only the connection that lost some", async () => {
    const { proxy, client, got, received } = await echo();
    const whole = await clientOf(proxy);
    const heal = await proxy.dropReplies();
    client.write("a");
    await expect.poll(() => got).toEqual(["a"]);
    await pause(50);
    expect(received()).toBe("");
    const closed = once(client, "close");
    await heal();
    await closed;
    whole.client.write("b");
    await expect.poll(whole.received).toBe("b");
  });

  it("the proxy delays data in both directions", async () => {
    const { proxy, client, received } = await echo();
    await proxy.delay(50);
    const begun = performance.now();
    client.write("a");
    await expect.poll(received).toBe("a");
    expect(performance.now() - begun).toBeGreaterThanOrEqual(99);
  });

  it("the proxy keeps the order of delayed data when the delay ends", async () => {
    const { proxy, client, got, received } = await echo();
    const heal = await proxy.delay(100);
    client.write("a");
    await expect.poll(() => proxy.roundTrips).toBe(1);
    await heal();
    client.write("b");
    await expect.poll(() => received().length).toBe(2);
    expect(got.join("")).toBe("ab");
    expect(received()).toBe("ab");
  });

  it("the proxy counts requests of HTTP/2 as round trips", async () => {
    const server = createHttp2Server((_request, response) => response.end("x".repeat(100_000)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const port = (server.address() as AddressInfo).port;
    const proxy = await TcpProxy.start({ port, counter: http2Requests });
    const session = connectHttp2(`http://127.0.0.1:${proxy.port}`);
    onTestFinished(async () => {
      session.destroy();
      await proxy.close();
      server.close();
    });
    for (let i = 1; i <= 3; i++) {
      const request = session.request({ ":path": "/", ":method": "POST" });
      request.end("y".repeat(50_000));
      request.resume();
      await once(request, "end");
      expect(proxy.roundTrips).toBe(i);
    }
  });
});

describe("a server process", () => {
  it("a server process is started, paused, started again after a kill, and stopped", async () => {
    const args = (port: number) => ["-e", `require("net").createServer((s) => s.pipe(s)).listen(${port}, "127.0.0.1")`];
    const server = await ServerProcess.start({ command: process.execPath, args });
    const { port } = server;
    onTestFinished(() => server.stop());
    const first = server.pid;
    await (await server.pause())();
    await server.restart();
    expect(server.pid).not.toBe(first);
    await server.stop();
    const refused = once(connect(port, "127.0.0.1"), "connect").then(
      () => "connected",
      (error: { code: string }) => error.code,
    );
    expect(await refused).toBe("ECONNREFUSED");
  });

  it.runIf(existsSync("/proc/self/task"))("a server process is paused and killed with all its children", async () => {
    const code = (port: number) => `
      const child = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true });
      require("net").createServer((s) => s.on("error", () => {}).end(String(child.pid))).listen(${port}, "127.0.0.1")`;
    const server = await ServerProcess.start({ command: process.execPath, args: (port) => ["-e", code(port)] });
    onTestFinished(() => server.stop());
    const child = await said(server.port);
    const resume = await server.pause();
    expect([stateOf(server.pid), stateOf(child)]).toEqual(["T", "T"]);
    await resume();
    await expect.poll(() => stateOf(child)).not.toBe("T");
    await server.restart();
    expect(stateOf(child)).toMatch(/^[ZX]?$/);
    const second = await said(server.port);
    expect(second).not.toBe(child);
    await server.pause();
    await server.stop();
    expect(stateOf(second)).toMatch(/^[ZX]?$/);
  });

  it("a server process counts as started only once the server is ready, even after a restart", async () => {
    const args = (port: number) => [
      "-e",
      `require("net").createServer((s) => s.on("error", () => {}).end()).listen(${port}, "127.0.0.1")`,
    ];
    const answers: (boolean | Error)[] = [false, new Error("it is starting up"), true];
    const asked: number[] = [];
    const ready = async (port: number) => {
      const answer = answers[asked.push(port) % answers.length] ?? false;
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const server = await ServerProcess.start({ command: process.execPath, args, ready });
    onTestFinished(() => server.stop());
    expect(asked).toEqual([server.port, server.port]);
    await server.restart();
    expect(asked).toHaveLength(5);
  });

  /** A program that listens, and the port that it has taken. */
  async function occupied(): Promise<number> {
    const other = createServer((socket) => void socket.on("error", () => {}).end());
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => void other.close());
    return (other.address() as AddressInfo).port;
  }

  const listening = (port: number): string[] => ["-e", `require("net").createServer().listen(${port}, "127.0.0.1")`];

  it("a server is started on another port if it reports that its address is in use", async () => {
    const taken = await occupied();
    const given: number[] = [];
    const args = (port: number) => listening(given.push(port) === 1 ? taken : port);
    const server = await ServerProcess.start({ command: process.execPath, args });
    onTestFinished(() => server.stop());
    expect(given).toEqual([expect.any(Number), server.port]);
  });

  it("another program on the port of a server does not count as that server", async () => {
    const port = await occupied();
    const start = ServerProcess.start({ command: process.execPath, args: listening(port), port });
    await expect(start).rejects.toThrow(/address already in use/);
  });

  it("the error for a server that ends at once contains what the server wrote", async () => {
    const args = ["-e", 'console.error("bad option"); process.exit(3)'];
    const start = ServerProcess.start({ command: process.execPath, args });
    await expect(start).rejects.toThrow(/ended at once: bad option/);
  });
});

/** The greeting of a server for each connection: a number. */
async function said(port: number): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  const [text] = await once(socket, "data");
  return Number(text);
}

/** The state of a process as the letter that the system reports. Empty if the process is gone. */
function stateOf(pid: number | undefined): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.charAt(stat.lastIndexOf(")") + 2);
  } catch {
    return "";
  }
}
