import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import type { Functions } from "../data/types.js";
import { send } from "../http/requests.js";
import { $rest } from "../http/rest.js";
import { SYSTEM } from "../shell/system.js";
import { isStop } from "../thread.js";

/** How long OpenAF waits for a port that may be closed, and for one whose latency it measures, in ms. */
const PORT_TIMEOUT = 1_500;
const LATENCY_TIMEOUT = 60_000;

/** How long it takes to connect to a port, in ms; -1 if it fails. */
function testPortLatency(host: unknown, port: unknown, timeout: unknown = LATENCY_TIMEOUT): number {
  try {
    return Number(send({ ask: "latency", host: String(host), port: Number(port), timeout: Number(timeout) }));
  } catch (error) {
    return noAnswer(error);
  }
}

/** How long a GET takes, in ms; -1 for an error status or no answer. */
function testURLLatency(url: unknown, timeout?: number): number {
  const began = performance.now();
  try {
    const { status } = send({ url: String(url), method: "GET", headers: {}, timeout });
    return status < 400 ? Math.round(performance.now() - began) : -1;
  } catch (error) {
    return noAnswer(error);
  }
}

function noAnswer(error: unknown): number {
  if (isStop(error)) throw error;
  return -1;
}

/** An unused port of this machine. */
export function findRandomOpenPort(): number {
  return Number(send({ ask: "free port" }));
}

const PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443, "ftp:": 21 };

function host4URL(text: unknown): string {
  const { hostname, port, protocol } = new URL(String(text));
  return `${hostname}:${port === "" ? (PORTS[protocol] ?? -1) : port}`;
}

const PRIVATE = new BlockList();
for (const [network, bits] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["127.0.0.0", 8],
] as const) {
  PRIVATE.addSubnet(network, bits);
}
PRIVATE.addSubnet("fec0::", 10, "ipv6");
PRIVATE.addAddress("::1", "ipv6");

function getAddressType(text: unknown): Record<string, boolean> {
  const address = String(text).trim();
  const version = isIP(address);
  return {
    // As in OpenAF, any text that is not an address counts as a host name.
    isValidAddress: true,
    hostname: version === 0,
    ipv4: version === 4,
    ipv6: version === 6,
    privateAddress: version !== 0 && PRIVATE.check(address, version === 6 ? "ipv6" : "ipv4"),
  };
}

export const NET: Functions = {
  testPort: (host: unknown, port: unknown, timeout: unknown = PORT_TIMEOUT): boolean =>
    testPortLatency(host, port, timeout) >= 0,
  testPortLatency,
  testURLLatency,
  getHost2IP: (name: unknown): string => String(send({ ask: "address", host: String(name) })),
  getIP2Host: (address: unknown): string => String(send({ ask: "name", address: String(address) })),
  getPublicIP: (address?: unknown): unknown =>
    $rest().get(
      address === undefined ? "https://ifconfig.co/json" : `http://ip-api.com/json/${String(address)}?fields=66846719`,
    ),
  getHostName: SYSTEM["getHostName"],
  getHostAddress: SYSTEM["getHostAddress"],
  host4URL,
  path4URL: (text: unknown): string => new URL(String(text)).pathname,
  getAddressType,
  isIPv4: (text: unknown): boolean => isIPv4(String(text)),
  isIPv6: (text: unknown): boolean => isIPv6(String(text)),
  isURL,
  isHost,
};

export function isURL(text: unknown): boolean {
  return typeof text === "string" && URL.canParse(text) && /^(https?|ftp):/i.test(text);
}

export function isHost(text: unknown): boolean {
  return isIP(String(text)) > 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(String(text));
}
