import { Redis } from "ioredis";
import type { OpenStore } from "../../stores.js";
import type { Counters } from "./counts.js";

/** The counters of a server. */
export interface ServerCounts {
  read(): Promise<Counters>;
  close(): void;
}

const NOTHING: ServerCounts = { read: async () => ({}), close: () => {} };

/** The counts of the server of a store. Empty for a store without a server. */
export function countsOf(store: string, { addressOf }: OpenStore): ServerCounts {
  if (store === "redis") return redisCounts(addressOf("ojm"));
  return store === "etcd" ? etcdCounts(addressOf("ojm")) : NOTHING;
}

/** The sum of the first group of all matches. */
function sum(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((all, [, value]) => all + Number(value), 0);
}

/** Our calls are scripts. The commands within a script do not count as calls. */
function redisCounts(url: string): ServerCounts {
  const client = new Redis(url);
  return {
    async read() {
      const text = `${await client.info("commandstats")}\n${await client.info("stats")}`;
      return {
        calls: sum(text, /^cmdstat_(?:eval|evalsha|eval_ro|evalsha_ro):calls=(\d+)/gm),
        "bytes sent": sum(text, /^total_net_output_bytes:(\d+)/gm),
      };
    },
    close: () => client.disconnect(),
  };
}

function etcdCounts(host: string): ServerCounts {
  return {
    async read() {
      const text = await (await fetch(`http://${host}/metrics`)).text();
      return {
        calls: sum(text, /^grpc_server_handled_total\{.*grpc_type="unary"\} (\S+)$/gm),
        "bytes sent": sum(text, /^etcd_network_client_grpc_sent_bytes_total (\S+)$/gm),
      };
    },
    close: () => {},
  };
}
