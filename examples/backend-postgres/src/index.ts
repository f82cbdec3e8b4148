import { type Backend, type BackendType, ChannelError, rejectUnknownOptions, type Supports } from "@ojm/core/backend";
import { Database } from "./database.js";
import { bytes, entryOf, type Row } from "./rows.js";
import { SCHEMA } from "./schema.js";
import { Watches } from "./watches.js";

const supports: Supports = Object.freeze({
  shared: "network",
  durability: "host",
  commitAcrossChannels: true,
  ttl: true,
  watch: true,
  maxOps: 1_000,
  // A page of the index must hold a key three times.
  maxKeyBytes: 2_600,
  maxValueBytes: 1_048_576,
});

const IS_READY = "select to_regclass('ojm.head') is not null as ready";
const NOW = "extract(epoch from statement_timestamp())::float8 * 1000";
const READ = `
select wanted.key, value, version, deadline - ${NOW} as expires_in
from unnest($1::bytea[]) with ordinality as wanted(key, place)
left join ojm.entries as found on found.key = wanted.key and (deadline > ${NOW}) is not false order by place`;
const SCAN = `
select key, case when $4 then value else '' end as value, version, deadline - ${NOW} as expires_in
from ojm.entries where key >= $1 and key < $2 and (deadline > ${NOW}) is not false order by key`;
const COMMIT = "select * from ojm.commit($1::bytea[], $2::text[], $3::bytea[], $4::bytea[], $5::float8[])";

/** Channels in the schema `ojm` of the database at `url`. `deadline`: for each call, in ms (5,000). */
export const backend: BackendType = {
  type: "postgres",
  async open(args, { clock }): Promise<Backend> {
    rejectUnknownOptions("postgres", args, ["url", "deadline"]);
    const { url, deadline = 5_000 } = args;
    if (typeof url !== "string" || !/^postgres(ql)?:/.test(url))
      throw new ChannelError("INVALID_CONFIG", `type "postgres" needs "url": "postgres://user:password@host/database"`);
    if (typeof deadline !== "number" || !(deadline > 0))
      throw new ChannelError("INVALID_CONFIG", `"deadline" of type "postgres" is a number of milliseconds above 0`);
    const database = new Database(url, deadline, clock);
    const watches = new Watches(database);
    try {
      // A user without the right to create tables can use existing ones.
      const [answer] = await database.query<{ ready: boolean }>({ text: IS_READY });
      if (answer?.ready !== true) await database.query({ text: SCHEMA });
    } catch (error) {
      await database.close();
      throw error;
    }
    return {
      supports,
      async read(keys, options) {
        const rows = await database.query<Row>({ name: "read", text: READ, values: [keys.map(bytes)] }, options);
        return rows.map(entryOf);
      },
      async scan({ from, to, reverse, limit, values: wanted }, options) {
        const text = `${SCAN} ${reverse ? "desc" : "asc"} limit $3`;
        // One entry more than requested shows whether there are more.
        const values = [bytes(from), bytes(to), limit + 1, wanted];
        const rows = await database.query<Row>({ name: `scan ${reverse}`, text, values }, options);
        return { entries: rows.slice(0, limit).flatMap((row) => entryOf(row) ?? []), more: rows.length > limit };
      },
      async commit({ checks, writes }, options) {
        const values = [
          checks.map(({ key }) => bytes(key)),
          checks.map(({ version }) => version),
          writes.map(({ key }) => bytes(key)),
          writes.map(({ value }) => (value === null ? null : bytes(value))),
          writes.map(({ ttl }) => ttl ?? null),
        ];
        const statement = { name: "commit", text: COMMIT, values };
        const rows = await database.query<Row & { applied: string | null }>(statement, options, true);
        const version = rows[0]?.applied ?? null;
        return version === null ? { ok: false, current: rows.map(entryOf) } : { ok: true, version };
      },
      watch: (range, sink) => watches.add(range, sink),
      close: () => watches.close().then(() => database.close()),
    };
  },
};
