import { createServer, Socket } from "node:net";
import { parseResp, type Resp, sizeOf, withNode, writeResp } from "./resp.js";

/** What happens to one reply. Numbers may be larger than the reply: they count from its start again. */
export type Damage =
  /** A value in it is replaced, left out, or preceded by another one. The stream stays in step. */
  | { readonly kind: "replace" | "insert"; readonly node: number; readonly by: Resp }
  | { readonly kind: "remove"; readonly node: number }
  /** It ends in the middle: the connection breaks, or carries nothing from then on. */
  | { readonly kind: "cut" | "silence"; readonly place: number }
  /** It arrives byte by byte, which is right. */
  | { readonly kind: "split" };

/** Damage, and to which reply: their number, over all connections. */
export type Damages = ReadonlyMap<number, Damage>;

/** A proxy that damages the replies of a server. */
export interface DamagingProxy {
  readonly port: number;
  /** Damages the replies from now on, which count from 0. */
  damage(damages: Damages): void;
  close(): void;
}

/** Starts a proxy in front of the server on a port of this machine. */
export async function startDamagingProxy(port: number): Promise<DamagingProxy> {
  let damages: Damages = new Map();
  let count = 0;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = new Socket().connect(port, "127.0.0.1");
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (request: Buffer) => upstream.write(request));
    let pending = "";
    let silent = false;
    upstream.on("data", (bytes: Buffer) => {
      pending += bytes.toString("latin1");
      for (let reply = parseResp(pending); reply !== undefined; reply = parseResp(pending)) {
        pending = pending.slice(reply.end);
        const damage = damages.get(count++);
        if (silent) continue;
        const whole = writeResp(reply.value);
        if (damage === undefined || (isOfSubscription(reply.value) && changes(damage))) client.write(whole, "latin1");
        else send(client, reply.value, whole, damage);
        silent = damage?.kind === "silence" || damage?.kind === "cut";
      }
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    damage(next) {
      damages = next;
      count = 0;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

const changes = ({ kind }: Damage): boolean => kind !== "cut" && kind !== "silence" && kind !== "split";

/**
 * Whether a reply belongs to a subscription. These are not changed: ioredis 6 reads them without a check, and
 * throws its error where no caller can catch it.
 */
function isOfSubscription({ tag, items }: Resp): boolean {
  return tag === ">" || /^[ps]?(un)?subscribe$|message$/.test(items?.[0]?.text ?? "");
}

function send(client: Socket, value: Resp, whole: string, damage: Damage): void {
  const write = (text: string): boolean => client.write(text, "latin1");
  switch (damage.kind) {
    case "replace":
      write(
        withNode(value, damage.node % sizeOf(value), () => [damage.by])
          .map(writeResp)
          .join(""),
      );
      return;
    case "insert":
    case "remove": {
      // A reply that is missing as a whole would put all later ones out of step.
      const others = sizeOf(value) - 1;
      const node = others === 0 ? 0 : 1 + (damage.node % others);
      const change = (old: Resp): readonly Resp[] =>
        node === 0 ? [old] : damage.kind === "insert" ? [damage.by, old] : [];
      write(withNode(value, node, change).map(writeResp).join(""));
      return;
    }
    case "silence":
      write(whole.slice(0, damage.place % whole.length));
      return;
    case "cut":
      client.end(whole.slice(0, damage.place % whole.length), "latin1");
      return;
    case "split":
      for (const byte of whole) write(byte);
      return;
  }
}
