import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { DelayLine } from "./delay-line.js";

/*
 * A TCP proxy that delays all bytes in both directions, in a process of its own. Sends its port. Arguments:
 * the port of the server, the delay in ms.
 */
const [port = "0", delay = "0"] = process.argv.slice(2);
const line = new DelayLine(Number(delay));

function join(from: Socket, to: Socket): void {
  from.setNoDelay(true);
  from.on("data", (chunk) => line.pass(() => to.write(chunk)));
  from.on("close", () => line.pass(() => to.end()));
  from.on("error", () => {}); // "close" follows
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
