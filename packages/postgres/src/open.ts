import { ChannelError, type Clock, LayoutMark, type Supports } from "@ojm/core/backend";
import { ojmCommand, optionWord } from "@ojm/core/internal";
import type { Client as PgClient, Pool, PoolConfig } from "pg";
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
  /** A replica for which commits do not wait: once promoted, it lacks the last ones, and locks with them. */
  readonly replica: string | null;
}

/** A walsender without a logical slot serves a replica, or a program that copies the log. */
const FACTS = `
select current_setting('server_encoding') as encoding, current_setting('fsync') = 'on' as fsync,
  pg_is_in_recovery() as standby, current_user::text as user, to_regclass($1) is not null as ready, (
    select coalesce(application_name, '') from pg_stat_replication as sender
    where trim(current_setting('synchronous_standby_names')) = '' and not exists (
      select from pg_replication_slots where active_pid = sender.pid and slot_type = 'logical') limit 1) as replica`;

export interface OpenDatabase {
  readonly database: Database;
  readonly names: Names;
  readonly layout: LayoutMark;
  readonly durability: Pick<Supports, "durability" | "risk">;
}

/** Connects to the server, and creates the schema or brings it up to date. */
export async function openDatabase(settings: Settings, clock: Clock): Promise<OpenDatabase> {
  const { where, allowLostWrites } = settings;
  const names = new Names(settings.schema);
  const [database, { encoding, fsync, standby, user, ready, replica }] = await connect(settings, names, clock);
  const store = { store: `${where}, schema ${names.schema},`, package: "@ojm/postgres", known: LAYOUT };
  const layout = new LayoutMark(store, clock, async () => String((await metaOf(database, names)).layout));
  /** Whether the schema has had all migrations. */
  const isCurrent = async (): Promise<boolean> => {
    const meta = await metaOf(database, names);
    layout.accept(String(meta.layout));
    return meta.migration >= MIGRATIONS.length;
  };
  try {
    if (encoding !== "UTF8")
      throw new ChannelError("INVALID_CONFIG", `${where}: the database has the encoding ${encoding}. Use one in UTF8`);
    if (standby)
      throw new ChannelError("READ_ONLY", `${where} is a standby: the url must name the primary`, { retryable: true });
    if (replica !== null && !allowLostWrites)
      throw new ChannelError(
        "INVALID_CONFIG",
        `${where} has the asynchronous replica ${JSON.stringify(replica)}: if it is promoted, locks are lost and jobs run twice. ` +
          "Set synchronous_standby_names on the server, or allowLostWrites: true if no replica is ever promoted, or the risk is accepted",
      );
    // If the schema lacks no migration, no right to create tables is needed.
    if (!ready || !(await isCurrent())) {
      await migrate(database, names, settings.schema, user);
      await isCurrent();
    }
    return { database, names, layout, durability: durabilityOf(replica, fsync) };
  } catch (error) {
    await database.close();
    throw error;
  }
}

function durabilityOf(replica: string | null, fsync: boolean): OpenDatabase["durability"] {
  if (replica === null) return { durability: fsync ? "host" : "process" };
  const event = `the promotion of the asynchronous replica ${JSON.stringify(replica)}`;
  return { durability: "none", risk: { event, remedy: "set synchronous_standby_names on the server" } };
}

/** Connects by the first of the configs, or by the next one if that fails because the server lacks TLS. */
async function connect(
  settings: Settings,
  names: Names,
  clock: Clock,
  [config = {}, ...others] = settings.configs,
): Promise<[Database, Facts]> {
  const database = new Database(settings.pool ?? (await newPool(config)), settings, clock);
  try {
    const [facts] = (await database.look<Facts>(FACTS, [`${names.schema}.meta`])) as [Facts];
    return [database, facts];
  } catch (error) {
    await database.close();
    if (others.length === 0 || !/does not support SSL/.test(String(error))) throw error;
    return connect(settings, names, clock, others);
  }
}

async function newPool(config: PoolConfig): Promise<Pool> {
  const { default: pg } = await import("pg");
  /** Ends a connection that fails. Otherwise the server ends it, and the process lives until then. */
  class Client extends pg.Client {
    override connect(): Promise<PgClient>;
    override connect(done: (error: Error) => void): void;
    override connect(done?: (error: Error) => void): unknown {
      if (done === undefined) return super.connect();
      return super.connect((error: Error | null) => {
        if (error !== null) this.connection.stream.destroy();
        done(error as Error);
      });
    }
  }
  return new pg.Pool({ ...config, Client });
}

/** Applies the migrations that the schema lacks. */
async function migrate(database: Database, names: Names, schema: string, user: string): Promise<void> {
  const { where } = database;
  try {
    await database.query(schemaSql({ schema }));
  } catch (error) {
    if (codeOf(error) !== "42501") throw explain(error, where, false);
    const command = ojmCommand("schema", "postgres", optionWord("--schema", schema), optionWord("--role", user));
    const message =
      `${where}: the user ${user} may not create the tables in the schema ${names.schema}. ` +
      `An administrator runs the SQL that this prints: ${command}`;
    throw new ChannelError("DENIED", message, { cause: error });
  }
}

/** What the schema says about itself. */
interface Meta {
  readonly layout: number;
  readonly migration: number;
}

async function metaOf(database: Database, { schema }: Names): Promise<Meta> {
  const [meta] = await database.look<Meta>(`select layout, migration from ${schema}.meta`);
  if (meta === undefined) throw new ChannelError("CORRUPT", `${database.where}: the table ${schema}.meta is empty`);
  return meta;
}
