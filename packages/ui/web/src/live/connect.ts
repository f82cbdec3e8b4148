import { addressOf } from "../app/base.js";
import { type FromHub, Hub, type ToHub } from "./hub.js";
import type { Follow } from "./stream.js";

/** Connects to the hub. Returns the function that sets the logs that this tab follows at the hub. */
export function connect(take: (message: FromHub) => void): (logs: readonly Follow[]) => void {
  const post = channel(take);
  let followed: readonly Follow[] = [];
  const follow = (): void => post({ kind: "follow", address: addressOf("api/v1/events"), logs: followed });
  // A tab that is closed, or kept for "back", needs no stream.
  addEventListener("pagehide", () => post({ kind: "bye" }));
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) follow();
  });
  return (logs) => {
    followed = logs;
    follow();
  };
}

function channel(take: (message: FromHub) => void): (message: ToHub) => void {
  if (typeof SharedWorker === "function") {
    try {
      const worker = new SharedWorker(new URL("./shared.worker.ts", import.meta.url), { type: "module" });
      worker.port.onmessage = ({ data }: MessageEvent<FromHub>) => take(data);
      return (message) => worker.port.postMessage(message);
    } catch {
      // Some browsers have no shared worker in a private window: this tab then has a stream of its own.
    }
  }
  const hub = new Hub();
  return (message) => hub.take(take, message);
}
