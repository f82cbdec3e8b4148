import type { Socket } from "node:net";
import { ChannelError, type Clock, refuseNewerLayout, type StoreLayout, type Supports } from "@ojm/core/backend";
import { ojmCommand, optionWord } from "@ojm/core/internal";
import type { Client as PgClient, Pool } from "pg";
import { Database } from "./database.js";
import { codeOf, explain } from "./errors.js";
import type { Settings } from "./options.js";
import { LAYOUT, MIGRATIONS, Names, schemaSql } from "./sql.js";

/** What the server says about itself. */
interface Facts {
  readonly encoding: string;
  readonly fsync: boolean;
  readonly standby: boolean;
  readonly user: string;
  /** Whether the tables exist. */
  readonly ready: boolean;
  /** The names of the replicas that stream now. */
  readonly replicas: readonly string[];
  readonly synchronous: string;
}

/** A walsender without a logical slot serves a replica, or a program that copies the log. */
const FACTS = `
select current_setting('server_encoding') as encoding, current_setting('fsync') = 'on' as fsync,
  pg_is_in_recovery() as standby, current_user::text as user, to_regclass($1) is not null as ready,
  current_setting('synchronous_standby_names') as synchronous, array(
    select coalesce(application_name, '') from pg_stat_replication as sender where not exists (
      select from pg_replication_slots where active_pid = sender.pid and slot_type = 'logical')) as replicas`;

export interface OpenDatabase {
  readonly database: Database;
  readonly names: Names;
  readonly durability: Supports["durability"];
}

/** Connects to the server, and creates the schema or brings it up to date. */
export async function openDatabase(settings: Settings, clock: Clock): Promise<OpenDatabase> {
  const { where, allowLostWrites } = settings;
  const names = new Names(settings.schema);
  const [database, facts] = await connect(settings, names, clock);
  try {
    if (facts.encoding !== "UTF8")
      throw new ChannelError(
        "INVALID_CONFIG",
        `${where}: the database has the encoding ${facts.encoding}. Use one with UTF8`,
      );
    if (facts.standby)
      throw new ChannelError("READ_ONLY", `${where} is a standby: the url must name the primary`, { retryable: true });
    if (losesWrites(facts) && !allowLostWrites) refuseLostWrites(facts, where);
    await migrate(database, names, settings.schema, facts);
    const durability = losesWrites(facts) ? "none" : facts.fsync ? "host" : "process";
    return { database, names, durability };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The layout of a schema, for messages. */
export function layoutOf(where: string, { schema }: Names): StoreLayout {
  return { store: `${where}, schema ${schema},`, package: "@ojm/postgres", known: LAYOUT };
}

async function connect(settings: Settings, { schema }: Names, clock: Clock): Promise<[Database, Facts]> {
  const { where, deadline, config, pool: given } = settings;
  const attempt = async (ssl?: false): Promise<[Database, Facts]> => {
    const pool = given ?? (await newPool(ssl === undefined ? config : { ...config, ...plain(config) }));
    const database = new Database({ pool, owned: given === undefined, where, deadline, clock });
    try {
      const [facts] = await database.look<Facts>({ text: FACTS }, [`${schema}.meta`]);
      if (facts !== undefined) return [database, facts];
      throw new ChannelError("FAILED", `${where} says nothing about itself`);
    } catch (error) {
      await database.close();
      throw error;
    }
  };
  try {
    return await attempt();
  } catch (error) {
    if (!settings.prefersTls || !/does not support SSL/.test(String(error))) throw error;
    return await attempt(false);
  }
}

async function newPool(config: Settings["config"]): Promise<Pool> {
  const { default: pg } = await import("pg");
  /** Ends a connection that fails. Otherwise the server ends it, and the process lives until then. */
  class Client extends pg.Client {
    override connect(): Promise<PgClient>;
    override connect(done: (error: Error) => void): void;
    override connect(done?: (error: Error) => void): unknown {
      if (done === undefined) return super.connect();
      return super.connect((error: Error | null) => {
        if (error !== null) (this as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
        done(error as Error);
      });
    }
  }
  return new pg.Pool({ ...config, Client });
}

/** The url without its wish for TLS. */
function plain({ connectionString = "" }: Settings["config"]): Settings["config"] {
  const url = new URL(connectionString);
  url.searchParams.set("sslmode", "disable");
  return { connectionString: url.href };
}

/** An asynchronous replica that is promoted lacks the last commits, and locks with them. */
function losesWrites({ replicas, synchronous }: Facts): boolean {
  return replicas.length > 0 && synchronous.trim() === "";
}

function refuseLostWrites({ replicas }: Facts, where: string): never {
  const message =
    `${where} has the asynchronous replica ${JSON.stringify(replicas[0])}: if it is promoted, locks are lost and jobs run twice. ` +
    "Set synchronous_standby_names on the server, or allowLostWrites: true if no replica is ever promoted, or the risk is accepted";
  throw new ChannelError("INVALID_CONFIG", message);
}

/** Applies the migrations that the schema lacks. If it lacks none, no right to create tables is needed. */
async function migrate(database: Database, names: Names, schema: string, { ready, user }: Facts): Promise<void> {
  const { where } = database;
  if (ready && (await isCurrent(database, names))) return;
  try {
    await database.query({ text: schemaSql({ schema }) }, undefined);
  } catch (error) {
    if (codeOf(error) !== "42501") throw explain(error, where, false);
    const command = ojmCommand("schema", "postgres", optionWord("--schema", schema), optionWord("--role", user));
    const message =
      `${where}: the user ${user} may not create the tables in the schema ${names.schema}. ` +
      `An administrator runs the SQL that this prints: ${command}`;
    throw new ChannelError("DENIED", message, { cause: error });
  }
  await isCurrent(database, names);
}

/** Whether the schema has had all migrations. */
async function isCurrent(database: Database, names: Names): Promise<boolean> {
  const text = `select layout, migration from ${names.schema}.meta`;
  const [meta] = await database.look<{ layout: number; migration: number }>({ text });
  if (meta === undefined)
    throw new ChannelError("CORRUPT", `${database.where}: the table ${names.schema}.meta is empty`);
  refuseNewerLayout(meta.layout, layoutOf(database.where, names));
  return meta.migration >= MIGRATIONS;
}
