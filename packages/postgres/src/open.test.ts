import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createConnection, createServer } from "node:net";
import { isChannelError, systemClock } from "@ojm/core/backend";
import { temporaryFolder } from "@ojm/testing/folder";
import { postgresCommand, startPostgres } from "@ojm/testing/postgres";
import pg from "pg";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { backend, schemaSql } from "./index.js";
import { connect, missing, open, serverOf } from "./testing/stores.js";

/** A slow machine may need seconds. */
const PATIENCE = { timeout: 60_000, interval: 50 };

const put = (value: string, key = 'c "k ') => ({ checks: [], writes: [{ key, value }] });
const failure = (args: Readonly<Record<string, unknown>>): Promise<unknown> =>
  backend.open(args, { clock: systemClock }).then(
    (opened) => opened.close(),
    (error: unknown) => error,
  );

describe("the options of PostgreSQL", () => {
  it.each([
    [{ url: "postgres://ojm@127.0.0.1:1/postgres" }, "UNAVAILABLE", /not reachable/],
    [{ ulr: "postgres://ojm@127.0.0.1/postgres" }, "INVALID_CONFIG", /Did you mean "url"/],
    [{ url: "mysql://127.0.0.1" }, "INVALID_CONFIG", /of the form/],
    [{ url: "postgres://127.0.0.1/a?ssl=true" }, "INVALID_CONFIG", /"ssl"/],
    [{ url: "postgres://127.0.0.1/a?sslmode=off" }, "INVALID_CONFIG", /"sslmode"/],
    [{ url: "postgres://127.0.0.1", deadline: 0 }, "INVALID_CONFIG", /"deadline"/],
    [{ url: "postgres://127.0.0.1", connections: 2 }, "INVALID_CONFIG", /"connections"/],
    [{ url: "postgres://127.0.0.1", schema: "pg_ojm" }, "INVALID_CONFIG", /"schema"/],
    [{ url: "postgres://127.0.0.1", allowLostWrites: 1 }, "INVALID_CONFIG", /"allowLostWrites"/],
    [{ url: "postgres://127.0.0.1", schema: "pg_ojm" }, "INVALID_CONFIG", /pg_.*reserved/],
    [{ url: "postgres://127.0.0.1/a?sslmode=verify-ca" }, "INVALID_CONFIG", /verify-ca.*sslrootcert/],
    [
      { url: "postgres://127.0.0.1/a?sslmode=require&sslrootcert=/no/ca.pem" },
      "INVALID_CONFIG",
      /"sslrootcert".*\/no\/ca/,
    ],
    [{ url: "postgres://127.0.0.1/a?sslmode=require&sslkey=key.pem" }, "INVALID_CONFIG", /"sslkey".*absolute/],
    [{ pool: {} }, "INVALID_CONFIG", /"pool"/],
    [{ url: "postgres://127.0.0.1/a?connections=4" }, "INVALID_CONFIG", /"connections".*write the store as a map/],
    [{ url: "postgres://127.0.0.1/a?shcema=b" }, "INVALID_CONFIG", /"shcema": it may have schema,/],
    [{ url: "postgres://me:a,b@a:5432,b:5432/app" }, "INVALID_CONFIG", /several hosts/],
    [{ url: "postgres://a,b/app" }, "INVALID_CONFIG", /several hosts/],
    [{ url: "postgres:///app?host=a,b" }, "INVALID_CONFIG", /several hosts/],
    [{ url: "postgres://me:a,b@127.0.0.1:1/app" }, "UNAVAILABLE", /not reachable/],
  ])("reject %j", async (args, code, message) => {
    const error = await failure(args);
    expect(isChannelError(error) && error.code).toBe(code);
    expect(String(error)).toMatch(message);
  });

  it("name the host in messages as psql finds it", async () => {
    vi.stubEnv("PGHOST", "127.0.0.1");
    vi.stubEnv("PGPORT", "1");
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(String(await failure({ url: "postgres:///app" }))).toMatch("PostgreSQL at 127.0.0.1 is not");
    const url = "postgres://localhost/app?host=/no/such/folder";
    expect(String(await failure({ url }))).toMatch("PostgreSQL at /no/such/folder is not reachable");
  });

  it.each([
    ["off", "", /PGSSLMODE is disable, allow/],
    ["no-verify", "", /PGSSLMODE is disable, allow/],
    ["verify-ca", "", /PGSSLMODE verify-ca needs "sslrootcert" in the url/],
    ["off", "?sslmode=disable", /not reachable/],
    ["", "", /not reachable/],
  ])("take PGSSLMODE=%s as psql does, with the url %j", async (mode, query, message) => {
    vi.stubEnv("PGSSLMODE", mode);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(String(await failure({ url: `postgres://127.0.0.1:1/a${query}` }))).toMatch(message);
  });
});

describe.skipIf(missing() !== undefined)("the schema in PostgreSQL", () => {
  const server = serverOf();

  it("is reached without TLS only if sslmode does not require it", async () => {
    const { url } = server();
    for (const mode of ["disable", "allow", "prefer"]) await open({ url: `${url}?sslmode=${mode}` });
    for (const mode of ["require", "verify-full"])
      expect(await failure({ url: `${url}?sslmode=${mode}` })).toMatchObject({
        code: "INVALID_CONFIG",
        message: expect.stringMatching(/cannot be spoken to by TLS.*sslmode/),
      });
  });

  it("is reached by a Unix socket whatever sslmode says, as by psql", async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o777); // the server may run as another user
    const own = await startPostgres({ settings: [`unix_socket_directories=${folder}`] });
    onTestFinished(() => own.stop());
    const url = `postgres://ojm@localhost:${own.port}/postgres?host=${folder}`;
    await (await open({ url: `${url}&sslmode=verify-ca` })).commit(put("1"));
    vi.stubEnv("PGSSLMODE", "require");
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await (await open({ url })).read(['c "k '])).toMatchObject([{ value: "1" }]);
  });

  it("is not reachable if the server ends a connection before the program knows that it has one", async () => {
    // The program gets all at once, as after it was suspended.
    const relay = createServer((client) => {
      const said: Buffer[] = [];
      const own = createConnection(server().port, "127.0.0.1").on("data", (chunk) => void said.push(chunk));
      own.on("end", () => client.end(Buffer.concat(said)));
      client.pipe(own);
    });
    onTestFinished(() => void relay.close());
    await once(relay.listen(0, "127.0.0.1"), "listening");
    const { port } = relay.address() as AddressInfo;
    const url = `postgres://ojm@127.0.0.1:${port}/postgres?options=-c%20idle_session_timeout%3D20`;
    // It does not try again until its deadline, which would be longer than a test may take.
    await expect(open({ url, deadline: "10m" })).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
  });

  it("is created once by several programs that open it at once", async () => {
    await server().sql("create database fresh");
    const url = server().url.replace(/postgres$/, "fresh");
    const opened = await Promise.all(Array.from({ length: 8 }, () => open({ url })));
    const outcomes = await Promise.all(opened.map((store) => store.commit(put("1"))));
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
  });

  it("is one of several in a database, which do not see each other", async () => {
    const { url } = server();
    const [one, other] = [await open({ url: `${url}?schema=a'b"c` }), await open({ url, schema: "other" })];
    await one.commit(put("1"));
    expect(await other.read(['c "k '])).toEqual([undefined]);
    await other.commit(put("2"));
    expect(await one.read(['c "k '])).toMatchObject([{ value: "1" }]);
  });

  it("is one of several that are reached by one pool of the caller", async () => {
    const pool = new pg.Pool({ connectionString: server().url, max: 3 });
    onTestFinished(() => pool.end());
    const stores = [await open({ pool, schema: "pooled_a" }), await open({ pool, schema: "pooled_b" })];
    for (const [i, store] of stores.entries()) await store.commit(put(String(i)));
    for (const [i, store] of stores.entries())
      expect(await store.read(['c "k '])).toMatchObject([{ value: String(i) }]);
  });

  it("needs no right to create anything at run time, once an administrator has created it", async () => {
    await server().sql("create role limited login");
    const args = { url: server().url.replace("ojm@", "limited@"), schema: "limited" };
    const error = await failure(args);
    expect(error).toMatchObject({
      code: "DENIED",
      message: expect.stringContaining("ojm schema postgres --schema limited --role limited"),
    });
    // Again, as after an upgrade of the packages.
    for (let i = 0; i < 2; i++) await server().sql(schemaSql({ schema: "limited", role: "limited" }));
    const store = await open(args);
    const values: (string | null)[] = [];
    await store.watch(
      { from: "c ", to: "c!" },
      { change: ({ value }) => values.push(value), gap: () => {}, fail: (reason) => values.push(String(reason)) },
    );
    await store.commit(put("1"));
    await expect.poll(() => values).toEqual(["1"]);
    const client = await connect(args.url);
    await client.query("begin");
    await store.commitIn?.(client, put("2"));
    await client.query("commit");
    await expect.poll(() => values).toEqual(["1", "2"]);
    for (const statement of ["create table limited.more (n int)", "drop table limited.entries"])
      await expect(client.query(statement)).rejects.toMatchObject({ code: "42501" });
    await store.close();
  });

  it("is refused if its layout is newer, also by a process that has it open", async () => {
    const args = { url: server().url, schema: "newer" };
    const store = await open(args);
    await server().sql("update newer.meta set layout = 2");
    const refused = { code: "INVALID_CONFIG", message: expect.stringMatching(/layout 2.*upgrade @ojm\/postgres/) };
    await expect(store.commit(put("1"))).rejects.toMatchObject(refused);
    await expect(store.read(['c "k '])).rejects.toMatchObject(refused);
    expect(await failure(args)).toMatchObject(refused);
    await server().sql("update newer.meta set layout = 1");
    await store.commit(put("1"));
    expect(await store.read(['c "k '])).toMatchObject([{ value: "1" }]);
  });

  it("is not opened in a database with another encoding, or in none", async () => {
    await server().sql("create database latin encoding 'LATIN1' locale 'C' template template0");
    const url = server().url.replace(/postgres$/, "latin");
    expect(await failure({ url })).toMatchObject({ code: "INVALID_CONFIG", message: expect.stringMatching(/LATIN1/) });
    const absent = await failure({ url: server().url.replace(/postgres$/, "nowhere") });
    expect(absent).toMatchObject({ code: "INVALID_CONFIG", retryable: false });
  });

  it("works if the role has other defaults, and commits stay durable", async () => {
    await server().sql(`create role odd login superuser; alter role odd set default_transaction_isolation = serializable;
      alter role odd set synchronous_commit = off; alter role odd set search_path = ''`);
    const args = { url: server().url.replace("ojm@", "odd@"), schema: "odd" };
    const [one, two] = [await open(args), await open(args)];
    for (let i = 0; i < 20; i++) {
      const outcomes = await Promise.all([one, two].map((store) => store.commit(put(String(i)))));
      expect(outcomes.every(({ ok }) => ok)).toBe(true);
    }
    await server().restart();
    await expect.poll(() => one.read(['c "k ']).catch(() => [])).toMatchObject([{ value: "19" }]);
  });

  it("raises versions after a restart of the server, even if the sequence lost its last values", async () => {
    const args = { url: server().url, schema: "versions" };
    const store = await open(args);
    // More than one, so that the sequence gives the last version again.
    for (let i = 0; i < 3; i++) await store.commit(put("0"));
    const before = await store.commit(put("1"));
    await server().sql("select setval('versions.versions', 1)");
    await server().restart();
    const again = await open(args);
    const after = await again.commit(put("2"));
    expect(before.ok && after.ok && BigInt(after.version) > BigInt(before.version)).toBe(true);
  });

  it.each([
    ["another database", "copied"],
    ["its own database", "dumped"],
  ])("gives no version twice after a backup was restored into %s of the running server", async (_where, target) => {
    const urlOf = (name: string): string => server().url.replace(/postgres$/, name);
    const isSame = target === "dumped";
    await server().sql("drop database if exists dumped with (force)");
    for (const name of new Set(["dumped", target])) await server().sql(`create database ${name}`);
    const store = await open({ url: urlOf("dumped") });
    let gaps = 0;
    await store.watch({ from: "c ", to: "c!" }, { change: () => {}, gap: () => gaps++, fail: () => {} });
    await store.commit(put("1"));
    const run = (program: string, args: readonly string[], input?: Buffer): Buffer => {
      const [command = "", ...rest] = postgresCommand(program, ...args);
      return execFileSync(command, rest, { cwd: "/", ...(input && { input }) });
    };
    const backup = run("pg_dump", ["--schema=ojm", urlOf("dumped")]);
    const before = await store.commit(put("2"));
    // In one transaction: a poll between the two would find no tables, which ends the watch.
    const restore = Buffer.concat([Buffer.from(isSame ? "drop schema ojm cascade;" : ""), backup]);
    run("psql", ["-qX1", "-v", "ON_ERROR_STOP=1", urlOf(target)], restore);
    // A program that was connected all the time uses the restored schema.
    const restored = isSame ? store : await open({ url: urlOf(target) });
    expect(await restored.read(['c "k '])).toMatchObject([{ value: "1" }]);
    const after = await restored.commit(put("3"));
    expect(before.ok && after.ok && BigInt(after.version) > BigInt(before.version)).toBe(true);
    if (isSame) await expect.poll(() => gaps).toBeGreaterThan(0);
  });

  it("is restored in one step although a program has created it again, with programs connected", async () => {
    await server().sql("drop database if exists recreated with (force)");
    await server().sql("create database recreated");
    const url = server().url.replace(/postgres$/, "recreated");
    const store = await open({ url });
    await store.commit(put("1"));
    const run = (program: string, args: readonly string[], input?: Buffer): Buffer => {
      const [command = "", ...rest] = postgresCommand(program, ...args);
      return execFileSync(command, rest, { cwd: "/", ...(input && { input }) });
    };
    const backup = run("pg_dump", ["--schema=ojm", "--format=custom", url]);
    const before = await store.commit(put("2"));
    // As an operator may do, and then a command that reads the store.
    run("psql", ["-qX", "-c", "set client_min_messages = warning; drop schema ojm cascade", url]);
    await (await open({ url })).commit(put("3"));
    run("pg_restore", ["--clean", "--if-exists", "--single-transaction", `--dbname=${url}`], backup);
    expect(await store.read(['c "k '])).toMatchObject([{ value: "1" }]);
    const after = await store.commit(put("4"));
    expect(before.ok && after.ok && BigInt(after.version) > BigInt(before.version)).toBe(true);
  });

  it("is refused if the schema has a table of this name of another program", async () => {
    await server().sql("create schema foreign_one; create table foreign_one.entries (id int)");
    expect(await failure({ url: server().url, schema: "foreign_one" })).toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining("use another schema"),
    });
  });

  it("explains why the server refuses a user, and leaves no connection open", async () => {
    const { data, sql } = server();
    const file = `${data}/pg_hba.conf`;
    const before = readFileSync(file, "utf8");
    const rules = "host all secret all scram-sha-256\nhostssl all secure all trust\nhost all secure all reject\n";
    await sql(
      "create role secret login password 'x'; create role secure login; create role few login connection limit 0",
    );
    writeFileSync(file, rules + before);
    await sql("select pg_reload_conf()");
    onTestFinished(async () => {
      writeFileSync(file, before);
      await sql("select pg_reload_conf()");
    });
    const sockets = new Set<unknown>();
    const relay = createServer((client) => {
      sockets.add(client.on("close", () => sockets.delete(client)));
      const own = createConnection(server().port, "127.0.0.1").on("error", () => {});
      client
        .on("error", () => {})
        .pipe(own)
        .pipe(client);
    });
    onTestFinished(() => void relay.close());
    await once(relay.listen(0, "127.0.0.1"), "listening");
    const urlOf = (user: string): string =>
      `postgres://${user}@127.0.0.1:${(relay.address() as AddressInfo).port}/postgres`;
    await vi.waitFor(
      async () =>
        expect(await failure({ url: urlOf("secret") })).toMatchObject({
          code: "DENIED",
          message: expect.stringMatching(/requires a password, and none is given\. Write it into the url.* chmod 600/),
        }),
      PATIENCE,
    );
    await expect.poll(() => sockets.size).toBe(0);
    expect(await failure({ url: urlOf("secure") })).toMatchObject({
      code: "DENIED",
      message: expect.stringMatching(/"sslmode"/),
    });
    expect(await failure({ url: urlOf("few") })).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/limit of the role/),
    });
  });

  it("is not available while the server shuts down, and says so", async () => {
    const own = await startPostgres();
    onTestFinished(() => own.stop());
    // The server waits for this connection, and meanwhile refuses others.
    await connect(own.url);
    process.kill(own.pid, "SIGTERM");
    await vi.waitFor(
      async () =>
        expect(await failure({ url: own.url })).toMatchObject({
          code: "UNAVAILABLE",
          retryable: true,
          message: expect.stringMatching(/is starting, shutting down or recovering from a crash \(.*shutting down/),
        }),
      PATIENCE,
    );
  });

  it("is reached by TLS as psql does", async () => {
    const { data, url, sql } = server();
    const [key, cert] = [`${data}/server.key`, `${data}/server.crt`];
    const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync("openssl", ["req", "-x509", "-nodes", ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
    const { uid, gid } = statSync(data);
    for (const file of [key, cert]) chownSync(file, uid, gid);
    chmodSync(key, 0o600);
    await sql("alter system set ssl = on");
    await sql("select pg_reload_conf()");
    const store = await vi.waitFor(() => open({ url: `${url}?sslmode=require`, schema: "tls" }), PATIENCE);
    await store.commit(put("1"));
    const byTls = "select 1 from pg_stat_ssl join pg_stat_activity using (pid) where ssl and application_name = 'ojm'";
    expect((await sql(byTls)).length).toBeGreaterThan(0);
    await open({ url: `${url}?sslmode=verify-full&sslrootcert=${cert}`, schema: "tls" });
    onTestFinished(() => void vi.unstubAllEnvs());
    // The certificate has no known authority: "require" does not ask for one.
    vi.stubEnv("PGSSLMODE", "require");
    await open({ url, schema: "tls" });
    vi.stubEnv("PGSSLMODE", "verify-full");
    expect(await failure({ url })).toMatchObject({ code: "INVALID_CONFIG", message: expect.stringMatching(/by TLS/) });
    vi.unstubAllEnvs();
    const byName = url.replace("127.0.0.1", "localhost");
    for (const wrong of [`${url}?sslmode=verify-full`, `${byName}?sslmode=verify-full&sslrootcert=${cert}`])
      expect(await failure({ url: wrong })).toMatchObject({
        code: "INVALID_CONFIG",
        message: expect.stringMatching(/by TLS/),
      });
  });

  it("is refused on a server with an asynchronous replica, unless lost writes are allowed", async () => {
    const { url, port, sql } = server();
    await open({ url, schema: "replicated" });
    const replica = await startPostgres({ replicaOf: { port, name: "second" } });
    onTestFinished(() => replica.stop());
    await expect.poll(() => sql("select 1 from pg_stat_replication where state = 'streaming'")).toHaveLength(1);
    expect(await failure({ url, schema: "replicated" })).toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringMatching(/asynchronous replica "second".*synchronous_standby_names/),
    });
    expect((await open({ url, schema: "replicated", allowLostWrites: true })).supports.durability).toBe("none");
    await sql("alter system set synchronous_standby_names = 'second'");
    await sql("select pg_reload_conf()");
    await expect.poll(() => sql("select 1 from pg_stat_replication where sync_state = 'sync'")).toHaveLength(1);
    const store = await open({ url, schema: "replicated" });
    await store.commit(put("1"));
    // The answer waited for the replica. It does not answer itself: it may lack the last commits.
    expect(await replica.sql("select value from replicated.entries")).toEqual([{ value: "1" }]);
    expect(await failure({ url: replica.url, schema: "replicated" })).toMatchObject({ code: "READ_ONLY" });

    // After a failover, an address may lead to the other server.
    const address = { host: "127.0.0.1", port, user: "ojm", database: "postgres" };
    const pool = new pg.Pool({ ...address, application_name: "moved" });
    pool.on("error", () => {});
    onTestFinished(() => pool.end());
    const moved = await open({ pool, schema: "replicated" });
    const seen: string[] = [];
    const sink = { change: () => seen.push("change"), gap: () => seen.push("gap"), fail: () => seen.push("fail") };
    await moved.watch({ from: "c ", to: "c!" }, sink);
    const leadsTo = async (to: number): Promise<void> => {
      pool.options.port = to;
      for (const each of [sql, replica.sql])
        await each("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'moved'");
    };
    await leadsTo(replica.port);
    const refused = { code: "READ_ONLY", retryable: true, outcome: "not-applied" };
    await expect.poll(() => moved.commit(put("2")).catch((error: unknown) => error)).toMatchObject(refused);
    await leadsTo(port);
    await expect.poll(() => moved.commit(put("3")).catch(() => undefined)).toMatchObject({ ok: true });
    await expect.poll(() => seen).toContain("change");
    expect(seen).not.toContain("fail");
  });
});
