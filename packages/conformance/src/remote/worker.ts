import { type Backend, type BackendType, systemClock } from "@ojm/core/backend";
import { type Call, type Reply, type Request, toWire } from "./protocol.js";

/**
 * The process of a remote client: opens a backend with the given module, and performs the calls that it
 * receives.
 */

const [module = "", args = "null"] = process.argv.slice(2);
const stops = new Map<number, () => void>();

function send(reply: Reply): void {
  if (process.connected) process.send?.(reply);
}

async function perform(backend: Backend, call: Call): Promise<unknown> {
  switch (call.member) {
    case "read":
      // An absent entry travels as `null`; the other process turns it back into `undefined`.
      return (await backend.read(call.keys)).map((entry) => entry ?? null);
    case "scan":
      return backend.scan(call.request);
    case "commit": {
      const outcome = await backend.commit(call.commit);
      return outcome.ok ? outcome : { ok: false, current: outcome.current.map((entry) => entry ?? null) };
    }
    case "watch":
      return void stops.set(call.watch, await watch(backend, call));
    case "unwatch":
      return stops.get(call.watch)?.();
    case "close":
      return backend.close();
    case "leave":
      return undefined;
  }
}

function watch(backend: Backend, { range, watch: id }: Extract<Call, { member: "watch" }>): Promise<() => void> {
  return backend.watch(range, {
    change: (change) => send({ type: "change", watch: id, change }),
    gap: () => send({ type: "gap", watch: id }),
    fail: (error) => send({ type: "fail", watch: id, error: toWire(error) }),
  });
}

async function serve(backend: Backend, { id, call }: Request): Promise<void> {
  try {
    send({ type: "result", id, result: await perform(backend, call) });
  } catch (error) {
    send({ type: "error", id, error: toWire(error) });
  }
  // From here on the suite no longer keeps the process alive. If it does not end, the backend has left
  // something open.
  if (call.member === "close" || call.member === "leave") process.disconnect();
}

/** What the given module may export. */
interface Openers {
  client?(args: unknown): Promise<Backend>;
  readonly backend?: BackendType;
  readonly default?: BackendType;
}

async function open(): Promise<Backend> {
  const { client, backend, default: standard } = (await import(module)) as Openers;
  if (client !== undefined) return client(JSON.parse(args));
  const type = backend ?? standard;
  if (type === undefined) throw new Error(`${module} exports neither a client nor a backend`);
  return type.open(JSON.parse(args), { clock: systemClock });
}

try {
  const backend = await open();
  process.on("message", (request: Request) => void serve(backend, request));
  send({ type: "open", supports: backend.supports });
} catch (error) {
  send({ type: "refused", error: toWire(error) });
  process.disconnect();
}
