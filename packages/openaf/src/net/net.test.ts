import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { hostname } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { expressions } from "../testing/run.js";

async function listen(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = (): Promise<void> => new Promise((resolve) => void server.close(() => resolve()));
  return { port: (server.address() as AddressInfo).port, close };
}

test("ow.net reports ports that answer, addresses and names", async () => {
  const open = await listen();
  onTestFinished(open.close);
  const shut = await listen();
  await shut.close();
  const wanted = {
    'ow.loadNet().testPort("127.0.0.1", args.open)': true,
    'ow.net.testPort("127.0.0.1", args.shut)': false,
    'ow.net.testPort("name.invalid", 80)': false,
    'ow.net.testPortLatency("127.0.0.1", args.open) >= 0': true,
    'ow.net.testPortLatency("127.0.0.1", args.shut, 1000)': -1,
    'ow.format.testPort("127.0.0.1", args.open)': true,
    'ow.net.testURLLatency("http://127.0.0.1:" + args.shut)': -1,
    'ow.net.getHost2IP("127.0.0.1")': "127.0.0.1",
    'ow.net.getHost2IP("name.invalid")': expect.stringMatching(/^thrown .*ENOTFOUND|EAI_AGAIN/),
    "ow.net.getHostName()": hostname(),
    "isNumber(findRandomOpenPort()) && findRandomOpenPort() > 1024": true,
    'ow.net.host4URL("https://a.b/c")': "a.b:443",
    'ow.net.host4URL("http://a.b:81/c")': "a.b:81",
    'ow.net.path4URL("http://a.b/c/d?e=1")': "/c/d",
    '[ow.net.isIPv4("1.2.3.4"), ow.net.isIPv6("::1"), ow.net.isURL("x"), ow.net.isHost("a.b")]': [
      true,
      true,
      false,
      true,
    ],
    'ow.net.getAddressType("10.1.2.3")': {
      isValidAddress: true,
      hostname: false,
      ipv4: true,
      ipv6: false,
      privateAddress: true,
    },
    '["8.8.8.8", "::1", "a.b"].map(a => { const t = ow.net.getAddressType(a); return t.privateAddress + "," + t.hostname })':
      ["false,false", "true,false", "false,true"],
  };
  expect(await expressions(wanted, { open: open.port, shut: shut.port })).toEqual(wanted);
});
