import type { PostgresServer } from "@ojm/testing/postgres";
import { eventually } from "../cluster/nodes/cluster.js";
import type { Scene } from "../scene/scene.js";
import { connectionsOf } from "../stores/postgres.js";
import type { StoreKind } from "../stores/store.js";
import { able, type Fault, type Injected, storeIsBack } from "./fault.js";

const whyNot = ({ type }: StoreKind): string | undefined =>
  type === "postgres" ? undefined : "n/a: a fault of PostgreSQL";

/** How often the sessions are terminated, and the longest time between, in ms. */
const TERMINATIONS = 6;
const BETWEEN = 250;

/** The holder connects again, and keeps its lock. */
const terminate: Fault = {
  name: "sessions of the holder terminated",
  whyNot,
  async inject(scene) {
    const server = able(scene, "postgres");
    const { member } = await scene.hold(2 * scene.ttl);
    const over = scene.trouble(member);
    for (let i = 0; i < TERMINATIONS; i++) {
      const rows = await server.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1",
        [connectionsOf(member.index)],
      );
      scene.note(`${rows.length} sessions of worker ${member.index} are terminated`);
      await scene.sleep(scene.between(0, BETWEEN));
    }
    over();
    return undefined;
  },
};

/** All sessions end, and the server recovers from its log, but its first process does not end. */
const crash: Fault = {
  name: "server process kill -9",
  whyNot,
  async inject(scene) {
    const server = able(scene, "postgres");
    const { member } = await scene.hold(scene.ttl);
    const pid = await eventually("the holder has a session", async () => {
      const text = "select pid from pg_stat_activity where application_name = $1 limit 1";
      return (await server.sql(text, [connectionsOf(member.index)]))[0]?.["pid"] as number | undefined;
    });
    scene.note(`a session of worker ${member.index} is killed`);
    const over = scene.trouble();
    process.kill(pid, "SIGKILL");
    await eventually("the server has recovered", async () => {
      const text = "select from pg_stat_activity where pid = $1";
      return (await server.sql(text, [pid])).length === 0 || undefined;
    });
    over();
    const since = scene.note("the server has recovered");
    return { since, names: scene.names, bound: storeIsBack(scene.ttl) };
  },
};

/** For the whole server, and for the sessions that are open. */
async function configure(server: PostgresServer, settings: readonly string[], value: string): Promise<void> {
  for (const name of settings) await server.sql(`alter system set ${name} = ${value}`);
  await server.sql("select pg_reload_conf()");
}

/** The shortest statements of a busy server take longer, in ms. */
const STATEMENT = 300;

/** Another program has a lock on the table, as `alter table` needs it, for longer than the time to live. */
async function lockTable(scene: Scene): Promise<Injected> {
  const server = able(scene, "postgres");
  const seconds = (2 * scene.ttl) / 1_000;
  scene.note("the table is locked");
  const over = scene.trouble();
  const locking = server.sql(
    `set statement_timeout = 0; begin; lock table ojm.entries; select pg_sleep(${seconds}); commit`,
  );
  await Promise.all([locking, blocked(server)]);
  over();
  const since = scene.note("the table is free");
  return { since, names: scene.names, bound: storeIsBack(scene.ttl) };
}

/** Resolves once a commit waits for the table: otherwise the fault did not strike. */
async function blocked(server: PostgresServer): Promise<void> {
  const text = "select from pg_locks where locktype = 'relation' and not granted";
  await eventually("a call waits for the table", async () => (await server.sql(text)).length > 0 || undefined);
}

const locked: Fault = {
  name: "table locked by another program",
  whyNot,
  async inject(scene) {
    await scene.hold(4 * scene.ttl);
    return lockTable(scene);
  },
};

const lockedShort: Fault = {
  name: `table locked, statement_timeout ${STATEMENT} ms`,
  whyNot,
  async inject(scene) {
    const server = able(scene, "postgres");
    await scene.hold(4 * scene.ttl);
    const over = scene.trouble();
    await configure(server, ["statement_timeout"], String(STATEMENT));
    const injected = await lockTable(scene);
    await configure(server, ["statement_timeout"], "default");
    over();
    return injected;
  },
};

/** How long a session may be idle, in ms: less than the time between two heartbeats. */
const IDLE = 100;

/** The sessions that listen are idle too. */
const idle: Fault = {
  name: `idle sessions ended after ${IDLE} ms`,
  whyNot,
  async inject(scene) {
    const server = able(scene, "postgres");
    await scene.hold(2 * scene.ttl);
    const over = scene.trouble();
    const settings = ["idle_session_timeout", "idle_in_transaction_session_timeout"];
    scene.note("the server ends idle sessions");
    await configure(server, settings, String(IDLE));
    await scene.sleep(2 * scene.ttl);
    await configure(server, settings, "default");
    over();
    scene.note("the server ends no session");
    return undefined;
  },
};

/** A backup, say. It keeps old rows from being removed, and nothing fails because of it. */
const long: Fault = {
  name: "long transaction of another program",
  whyNot,
  async inject(scene) {
    const server = able(scene, "postgres");
    await scene.hold(2 * scene.ttl);
    scene.note("a transaction begins");
    const seconds = (4 * scene.ttl) / 1_000;
    const reading = "begin isolation level repeatable read; select count(*) from ojm.entries";
    await Promise.all([
      server.sql(`${reading}; select pg_sleep(${seconds}); select count(*) from ojm.entries; commit`),
      scene.sleep(2 * scene.ttl).then(() => server.sql("vacuum ojm.entries")),
    ]);
    scene.note("the transaction ends");
    return undefined;
  },
};

/** Faults that only PostgreSQL has. */
export const postgresFaults: readonly Fault[] = [terminate, crash, locked, lockedShort, idle, long];
