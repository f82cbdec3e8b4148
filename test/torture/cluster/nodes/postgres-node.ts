import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyData, emptyFolder, postgresCommand, queryOnce } from "@ojm/testing/postgres";
import type { PrivateNetwork } from "../net/network.js";
import { ClusterNode } from "./node.js";

const PORT = 5432;

/** How long to wait for an answer, in ms. */
const PATIENCE = 500;

/** How long a primary, or a replica, may be silent until the other one gives up the connection, in ms. */
const PRIMARY_SILENT = 3_000;
const REPLICA_SILENT = 5_000;

/** Ends a connection to an address that another host has by now, after 2 s. */
const KEEPALIVES = "keepalives_idle=1 keepalives_interval=1 keepalives_count=1";

/** Where a PostgreSQL server runs, and the folder for its files. */
export interface PostgresPlace {
  readonly network: PrivateNetwork;
  readonly host: string;
  readonly folder: string;
  /** All hosts. Each is the name of its replica. */
  readonly hosts: readonly string[];
  /** The data with which it begins. */
  readonly template: string;
}

/** What a server says about itself. */
export interface PostgresState {
  readonly isStandby: boolean;
  /** How many replicas receive its log. */
  readonly replicas: number;
  /** Whether it receives the log of another one. */
  readonly follows: boolean;
  /** How much of the log it has, in bytes, as a replica. */
  readonly has: number;
}

/** A PostgreSQL server which is the primary, or a replica of the server that has the floating address. */
export class PostgresNode extends ClusterNode {
  readonly #place: PostgresPlace;
  readonly #data: string;
  /** Whether its data may have what the primary does not have. */
  #isStale = false;

  constructor(place: PostgresPlace) {
    const { network, host, hosts, folder, template } = place;
    const data = join(folder, `postgres-${host}`);
    const settings = [
      ...["listen_addresses=*", "unix_socket_directories=", "max_connections=300", "fsync=off"],
      // A commit is acknowledged once one of the two others has it.
      `synchronous_standby_names=ANY 1 (${hosts.join(", ")})`,
      // Without keepalives, a replica that connects to a stopped primary waits for ever.
      `primary_conninfo=host=${network.floating} port=${PORT} user=ojm application_name=${host} connect_timeout=2 ${KEEPALIVES}`,
      ...[
        `wal_receiver_timeout=${PRIMARY_SILENT}`,
        `wal_sender_timeout=${REPLICA_SILENT}`,
        "wal_retrieve_retry_interval=100",
      ],
      "wal_keep_size=256MB",
    ];
    const own = postgresCommand("postgres", "-D", data, "-p", String(PORT), ...settings.flatMap((it) => ["-c", it]));
    const command = [...network.on(host), ...own];
    super({
      name: `postgres on ${host}`,
      host,
      port: PORT,
      command,
      ready: /ready to accept (read-only )?connections/,
    });
    this.#place = place;
    this.#data = data;
    copyData(template, data);
    const others = "198.18.0.0/15 trust";
    appendFileSync(join(data, "pg_hba.conf"), `host all all ${others}\nhost replication all ${others}\n`);
  }

  /** Its data may differ from that of the primary from now on: it begins with a copy when it starts. */
  setStale(): void {
    this.#isStale = true;
  }

  override async start(): Promise<void> {
    if (this.#isStale) await this.#copyPrimary();
    await super.start();
  }

  /** From the next start on, it is a replica. */
  becomeReplica(): void {
    writeFileSync(join(this.#data, "standby.signal"), "");
  }

  async #copyPrimary(): Promise<void> {
    const { network, host } = this.#place;
    emptyFolder(this.#data);
    const from = `host=${network.floating} port=${PORT} user=ojm connect_timeout=2`;
    const own = postgresCommand("pg_basebackup", "-D", this.#data, "--checkpoint=fast", "--no-sync", "-d", from);
    const [program = "", ...args] = [...network.on(host), ...own];
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], cwd: "/" });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk;
    });
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`${this.name} cannot copy the primary: ${said}`);
    this.becomeReplica();
    this.#isStale = false;
  }

  async state(): Promise<PostgresState> {
    const [row] = await this.sql(
      `select pg_is_in_recovery() as standby,
        (select count(*)::int from pg_stat_replication where state = 'streaming') as replicas,
        exists (select from pg_stat_wal_receiver where status = 'streaming') as follows,
        case when pg_is_in_recovery() then
          greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0'::pg_lsn end::float8 as has`,
    );
    if (row === undefined) throw new Error(`${this.name} says nothing about itself`);
    const { standby, replicas, follows, has } = row;
    return {
      isStandby: standby === true,
      replicas: Number(replicas),
      follows: follows === true,
      has: Number(has ?? 0),
    };
  }

  sql(text: string, patience: number = PATIENCE): Promise<Record<string, unknown>[]> {
    return queryOnce({ host: this.#place.network.address(this.host), port: PORT }, text, patience);
  }

  /** Makes it the primary. */
  async promote(): Promise<void> {
    await this.sql("select pg_promote()", 60_000);
  }
}
