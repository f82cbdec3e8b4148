import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { missing, open, serverOf } from "./testing/stores.js";

describe.skipIf(missing() !== undefined)("a page of entries in PostgreSQL", () => {
  const server = serverOf();

  it("costs as much as its own entries, however many the range has", async () => {
    const { sql, url } = server();
    const pool = new pg.Pool({ connectionString: url, max: 3 });
    onTestFinished(() => pool.end());
    const store = await open({ pool });
    await sql(`insert into ojm.entries (key, version, value)
      select 'c "' || lpad(i::text, 6, '0') || ' ', i, '' from generate_series(1, 30000) as i`);
    await sql("vacuum analyze ojm.entries");
    // The pool gives the connection that it got last: the pages are read in the transaction that counts.
    await pool.query("begin");
    const of = (name: string): string => `pg_stat_get_xact_tuples_returned('ojm.${name}'::regclass)`;
    const found = `select (${of("entries")} + ${of("entries_pkey")})::int as count`;
    const page = { from: "c ", to: "c!", reverse: false, limit: 10, values: false };
    // The first five get plans of their own, and the others may share one. Planning looks at a few entries
    // too.
    for (let i = 1; i <= 10; i++) {
      expect((await store.scan({ ...page, reverse: i % 2 === 0 })).entries.length).toBe(10);
      const { rows } = await pool.query<{ count: number }>(found);
      expect(rows[0]?.count).toBeGreaterThanOrEqual(i * 10);
      expect(rows[0]?.count).toBeLessThanOrEqual(i * 20);
    }
    await pool.query("commit");
  });
});
