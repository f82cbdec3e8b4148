import { Redis } from "ioredis";
import pg from "pg";
import type { OpenStore } from "../../stores.js";
import type { Counters } from "./counts.js";

/** The counters of a server. */
export interface ServerCounts {
  read(): Promise<Counters>;
  close(): void;
}

const NOTHING: ServerCounts = { read: async () => ({}), close: () => {} };

/** The counts of the server of a store, which is open for counting. Empty for a store without a server. */
export function countsOf(store: string, { addressOf }: OpenStore): ServerCounts {
  const address = addressOf("ojm");
  if (store === "redis") return redisCounts(address);
  if (store === "postgres") return postgresCounts(address);
  return store === "etcd" ? etcdCounts(address) : NOTHING;
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

function postgresCounts(connectionString: string): ServerCounts {
  const pool = new pg.Pool({ connectionString, max: 1 });
  return {
    async read() {
      const { rows } = await pool.query("SELECT sum(calls)::float8 AS calls FROM pg_stat_statements");
      return { calls: Number(rows[0]?.calls) };
    },
    close: () => void pool.end(),
  };
}
