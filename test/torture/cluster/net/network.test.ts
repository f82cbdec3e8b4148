import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { whyNoForwarder } from "./forwarder.js";
import { whyNoNamespaces } from "./namespaces.js";
import { PrivateNetwork } from "./network.js";

const PORT = 7_000;
const SERVER = `require("net").createServer((s) => s.on("error", () => {}).pipe(s)).listen(${PORT}, () => console.log("ready"))`;

/** A network of two hosts, with an echo server on the first. */
async function start(slow?: string): Promise<{ network: PrivateNetwork; ended: Promise<unknown> }> {
  const network = await PrivateNetwork.start({
    hosts: ["one", "two"],
    ...(slow !== undefined && { slow: { hosts: ["one"], folder: slow } }),
  });
  onTestFinished(() => network.stop());
  const [program = "", ...args] = [...network.on("one"), process.execPath, "-e", SERVER];
  const server = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(server.stdout, "data");
  return { network, ended: once(server, "exit") };
}

function connected(network: PrivateNetwork): Socket {
  const socket = connect(PORT, network.address("one"));
  onTestFinished(() => void socket.destroy());
  return socket;
}

const leftOf = (network: PrivateNetwork): string[] => {
  const [, path = ""] = network.on("one");
  const prefix = path.split("/").at(-1)?.replace("one", "") ?? "";
  return spawnSync("ip", ["netns", "list"], { encoding: "utf8" })
    .stdout.split("\n")
    .filter((line) => line.startsWith(prefix));
};

describe.skipIf(whyNoNamespaces() !== undefined)("a private network", () => {
  it("a private network loses what is sent to hosts that are cut off, until they are back", async () => {
    const { network } = await start();
    network.cutOff(["one"]);
    let isConnected = false;
    const socket = connected(network).once("connect", () => {
      isConnected = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(isConnected).toBe(false);
    network.join(["one"]);
    await once(socket, "connect");
  });

  it("a private network ends with all that runs on its hosts, and leaves nothing behind", async () => {
    const { network, ended } = await start();
    expect(leftOf(network)).toHaveLength(3);
    await network.stop();
    await ended;
    expect(leftOf(network)).toEqual([]);
  });

  it.skipIf(whyNoForwarder() !== undefined)("a private network delays what comes and goes by slow links", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ojm-network-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const { network } = await start(folder);
    const socket = connected(network);
    await once(socket, "connect");
    network.slowDown(100, 0);
    const sent = performance.now();
    socket.write("hello");
    await once(socket, "data");
    // Each way takes this long, because the delaying program has the same clock.
    expect(performance.now() - sent).toBeGreaterThan(199);
  });
});
