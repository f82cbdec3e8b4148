import { type KeyRange, onlyKeyOf, type StoredChange, type WatchSink } from "@ojm/core/backend";
import { Client } from "../simulated/client.js";
import { Server, type Subscriber } from "../simulated/server.js";
import type { Bug } from "./bug.js";

/** Watches that lose, invent or mix up changes. */
export const watches: readonly Bug[] = [
  {
    name: "a change is sometimes lost",
    killedBy: "WCH-021",
    server: class extends Server {
      #announced = 0;

      protected override announce(change: StoredChange): void {
        if (++this.#announced % 17 !== 0) super.announce(change);
      }
    },
  },
  {
    name: "a watch does not report deletes",
    killedBy: "WCH-003",
    server: class extends Server {
      protected override announce(change: StoredChange): void {
        if (change.value !== null) super.announce(change);
      }
    },
  },
  {
    name: "changes overtake each other",
    killedBy: "WCH-021",
    client: class extends Client {
      override watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
        const late = (change: StoredChange): void => {
          if (Number(change.version) % 3 === 0) setImmediate(() => setImmediate(() => sink.change(change)));
          else sink.change(change);
        };
        return super.watch(range, { change: late, gap: () => sink.gap(), fail: (error) => sink.fail(error) });
      }
    },
  },
  {
    name: "a watch does not report a write of the current value",
    killedBy: "WCH-004",
    server: class extends Server {
      readonly #values: Map<string, string | null> = new Map();

      protected override announce(change: StoredChange): void {
        if (this.#values.get(change.key) !== change.value) super.announce(change);
        this.#values.set(change.key, change.value);
      }
    },
  },
  {
    name: "a watch reports its neighbours too",
    killedBy: "WCH-023",
    server: class extends Server {
      override subscribe({ range, tell }: Subscriber): () => void {
        return super.subscribe({ range: { ...range, to: "\uffff" }, tell });
      }
    },
  },
  {
    name: "a watch of one key also reports keys that begin with it",
    killedBy: "WCH-026",
    client: class extends Client {
      override watch({ from, to }: KeyRange, sink: WatchSink): Promise<() => void> {
        return super.watch({ from, to: onlyKeyOf({ from, to }) !== undefined ? `${from}\uffff` : to }, sink);
      }
    },
  },
  {
    name: "a watch does not report its own client's writes",
    killedBy: "WCH-003",
    client: class extends Client {
      readonly #own: Set<string> = new Set();

      override async commit(commit: Parameters<Client["commit"]>[0]): ReturnType<Client["commit"]> {
        const outcome = await super.commit(commit);
        if (outcome.ok) this.#own.add(outcome.version);
        return outcome;
      }

      override watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
        const change = (it: StoredChange): void => {
          setImmediate(() =>
            setImmediate(() =>
              setImmediate(() => {
                if (!this.#own.has(it.version)) sink.change(it);
              }),
            ),
          );
        };
        return super.watch(range, { change, gap: () => sink.gap(), fail: (error) => sink.fail(error) });
      }
    },
  },
  {
    name: "a watch resolves before it is set up",
    killedBy: "WCH-022",
    client: class extends Client {
      override async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
        let stop: (() => void) | undefined;
        setTimeout(() => void super.watch(range, sink).then((it) => (stop = it)), 5);
        return () => stop?.();
      }
    },
  },
  {
    name: "a watch ends quietly when the connection is lost",
    killedBy: "WCH-044",
    client: class extends Client {
      override async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
        const stop = await super.watch(range, sink);
        this.network.onReconnect(stop);
        return stop;
      }
    },
  },
  {
    name: "a watch fails when the connection is lost",
    killedBy: "WCH-043",
    client: class extends Client {
      override async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
        this.network.onReconnect(() => sink.fail(new Error("the connection was lost")));
        return super.watch(range, sink);
      }
    },
  },
  {
    name: "a watch continues after a lost connection as if nothing had happened",
    killedBy: "WCH-044",
    client: class extends Client {
      override watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
        return super.watch(range, { change: (it) => sink.change(it), gap: () => {}, fail: (it) => sink.fail(it) });
      }
    },
  },
  {
    name: "a watch does not come back after a restart",
    killedBy: "WCH-042",
    client: class extends Client {
      override async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
        return this.server.subscribe({ range, tell: (change) => setImmediate(() => sink.change(change)) });
      }
    },
  },
  {
    name: "closing a client leaves its watches running",
    killedBy: "WCH-041",
    client: class extends Client {
      override async close(): Promise<void> {}
    },
  },
  {
    name: "ending one watch ends all of the client",
    killedBy: "WCH-025",
    client: class extends Client {
      override async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
        await super.watch(range, sink);
        return () => void this.close();
      }
    },
  },
];
