import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/*
 * A TCP proxy that keeps all bytes back for a while, in both directions, in a process of its own. Sends its
 * port. Arguments: the port of the server, the delay in ms.
 *
 * A timer of Node has a resolution of 1 ms. So while bytes are under way, look again and again, and sleep for
 * no more than a small part of the delay in between.
 */
const [port = "0", delay = "0"] = process.argv.slice(2);

const LOOK_EVERY = 0.04;

interface UnderWay {
  readonly due: number;
  deliver(): void;
}

/** In the order of their arrival, which is that of their delivery. */
const underWay: UnderWay[] = [];
const never = new Int32Array(new SharedArrayBuffer(4));
let looking = false;

function pass(deliver: () => void): void {
  underWay.push({ due: performance.now() + Number(delay), deliver });
  if (!looking) setImmediate(look);
  looking = true;
}

function look(): void {
  while (underWay[0] !== undefined && underWay[0].due <= performance.now()) underWay.shift()?.deliver();
  looking = underWay.length > 0;
  if (!looking) return;
  const left = (underWay[0]?.due ?? 0) - performance.now();
  Atomics.wait(never, 0, 0, Math.max(0, Math.min(left, LOOK_EVERY)));
  setImmediate(look);
}

function join(from: Socket, to: Socket): void {
  from.setNoDelay(true);
  from.on("data", (chunk) => pass(() => to.write(chunk)));
  from.on("close", () => pass(() => to.end()));
  from.on("error", () => {});
}

const server = createServer((client) => {
  const upstream = connect({ host: "127.0.0.1", port: Number(port) });
  join(client, upstream);
  join(upstream, client);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.once("disconnect", () => process.exit());
process.send?.({ port: (server.address() as AddressInfo).port });
