import { execFileSync, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { channel, Recorder } from "@ojm/testing/backends";
import { type EtcdServer, type EtcdServerOptions, etcdMissing, startEtcd } from "@ojm/testing/etcd";
import { temporaryFolder } from "@ojm/testing/folder";
import { jsArgs } from "@ojm/testing/programs";
import { Etcd3 } from "etcd3";
import { afterEach, describe, expect, it, onTestFinished, test, vi } from "vitest";
import { TcpProxy } from "../../conformance/src/proxy/tcp-proxy.js";
import { openEtcd, put, until } from "./testing/backends.js";

const missing = etcdMissing();
if (missing !== undefined) test.skip(`access to etcd: ${missing}`, () => undefined);
const openssl = spawnSync("openssl", ["version"]).error === undefined;
if (!openssl) test.skip("etcd with TLS: openssl is not installed: apt-get install openssl", () => undefined);

let server: EtcdServer;
afterEach(() => server.stop());

async function start(options?: EtcdServerOptions): Promise<string> {
  server = await startEtcd(options);
  return server.host;
}

describe.skipIf(missing !== undefined)("an etcd with users", () => {
  const password = `secret-${randomUUID()}`;

  /** Users: root, and `ojm`, who may only read and write under `ojm/`. */
  async function startWithUsers(): Promise<string> {
    const host = await start();
    const client = new Etcd3({ hosts: host });
    onTestFinished(() => client.close());
    const root = await client.user("root").create(password);
    await root.addRole("root");
    const role = await client.role("ojm").create();
    await role.grant({ permission: "Readwrite", range: client.range({ prefix: "ojm/" }) });
    const user = await client.user("ojm").create(password);
    await user.addRole("ojm");
    await client.auth.authEnable();
    return host;
  }

  it("only the right user and password are let in, and no error message shows the password", async () => {
    const hosts = await startWithUsers();
    const etcd = await openEtcd({ hosts, auth: { username: "ojm", password } });
    await put(etcd, "c a", "1", 60_000);
    expect((await etcd.read(["c a"]))[0]?.value).toBe("1");

    const wrong = `wrong-${password}`;
    const denied = await openEtcd({ hosts, auth: { username: "ojm", password: wrong } }).catch((error) => error);
    expect(denied).toMatchObject({ code: "DENIED", retryable: false });
    expect(`${denied.message} ${denied.cause?.message}`).not.toContain(password);
    await expect(openEtcd({ hosts })).rejects.toMatchObject({
      code: "DENIED",
      message: expect.stringContaining("auth"),
    });
    const elsewhere = openEtcd({ hosts, auth: { username: "ojm", password }, keyPrefix: "other/" });
    await expect(elsewhere).rejects.toMatchObject({ code: "DENIED" });
  });

  it("calls and watches sign in again when the node has forgotten their tokens", async () => {
    const hosts = await startWithUsers();
    const etcd = await openEtcd({ hosts, auth: { username: "ojm", password } });
    const seen = new Recorder();
    await etcd.watch(channel("c"), seen);
    await put(etcd, "c a", "1");
    await server.kill();
    await server.restart();
    expect((await etcd.read(["c a"]))[0]?.value).toBe("1");
    await put(etcd, "c a", "2");
    await until(() => seen.of("c a").includes("2"));
    expect([seen.of("c a"), seen.error]).toEqual([["1", "2"], undefined]);
  });

  it("a new watch signs in again when the node has forgotten the tokens, and other watches continue undisturbed", async () => {
    const hosts = await startWithUsers();
    const etcd = await openEtcd({ hosts, auth: { username: "ojm", password } });
    const [before, after] = [new Recorder(), new Recorder()];
    await etcd.watch(channel("c"), before);
    // Everything that is open, including the stream, still has the old sign-in.
    const root = new Etcd3({ hosts, auth: { username: "root", password } });
    await root.auth.authDisable();
    root.close();
    const anybody = new Etcd3({ hosts });
    await anybody.auth.authEnable();
    anybody.close();
    await etcd.watch(channel("c"), after);
    await put(etcd, "c a", "1");
    await until(() => before.changes.length > 0 && after.changes.length > 0);
    expect([before.gaps, before.error, after.gaps, after.error]).toEqual([0, undefined, 0, undefined]);
  });

  it("opening with a user fails with INVALID_CONFIG if etcd has no users", async () => {
    const hosts = await start();
    const open = openEtcd({ hosts, auth: { username: "ojm", password } });
    await expect(open).rejects.toMatchObject({ code: "INVALID_CONFIG", message: expect.stringContaining("auth") });
  });
});

describe.skipIf(missing !== undefined || !openssl)("an etcd with TLS", () => {
  /** A CA, and a certificate of it for 127.0.0.1. */
  function makeCertificates(): { ca: string; cert: string; key: string } {
    const dir = temporaryFolder();
    const file = (name: string): string => join(dir, name);
    const run = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore" });
    const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    run("req", "-x509", ...ec, "-keyout", file("ca.key"), "-out", file("ca.pem"), "-days", "2", "-subj", "/CN=test-ca");
    run("req", ...ec, "-keyout", file("node.key"), "-out", file("node.csr"), "-subj", "/CN=127.0.0.1");
    writeFileSync(file("ext"), "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n");
    const signing = ["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2"];
    run("x509", "-req", "-in", file("node.csr"), ...signing, "-extfile", file("ext"), "-out", file("node.pem"));
    return { ca: file("ca.pem"), cert: file("node.pem"), key: file("node.key") };
  }

  it("a backend trusts etcd by a CA given as a path, as text or as a buffer, and does not without the CA", async () => {
    const { ca, cert, key } = makeCertificates();
    const host = await start({ tls: { cert, key } });
    const warned = vi.spyOn(process, "emitWarning");
    for (const rootCertificate of [ca, readFileSync(ca, "utf8"), readFileSync(ca)]) {
      const etcd = await openEtcd({ hosts: `https://${host}`, credentials: { rootCertificate } });
      await put(etcd, "c a", "1");
    }
    // Node warns of an address as a server name, and rejects it from version 26 on.
    expect(warned.mock.calls.flat().filter((said) => said === "DEP0123")).toEqual([]);
    const stranger = openEtcd({ hosts: `https://${host}`, deadline: 3_000 });
    await expect(stranger).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining(host) });
  });

  it("a process trusts etcd by the CA that NODE_EXTRA_CA_CERTS names, even where gRPC has roots of its own", async () => {
    const { ca, cert, key } = makeCertificates();
    const other = makeCertificates();
    const host = await start({ tls: { cert, key } });
    const program = `
      import { systemClock } from "@ojm/core/backend";
      import { backend } from "@ojm/etcd";
      const opened = backend.open({ hosts: "https://${host}", deadline: Number(process.env.DEADLINE) }, { clock: systemClock });
      await opened.then((etcd) => { console.log("trusted"); return etcd.close(); }, (error) => console.log(error.message));
    `;
    const said = async (env: NodeJS.ProcessEnv): Promise<string> => {
      const { NODE_EXTRA_CA_CERTS: _, GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: __, ...others } = process.env;
      const child = spawn(process.execPath, [...jsArgs(), "--input-type=module", "-e", program], {
        stdio: ["ignore", "pipe", "inherit"],
        cwd: fileURLToPath(new URL("..", import.meta.url)),
        env: { DEADLINE: "30000", ...others, ...env },
      });
      let output = "";
      for await (const chunk of child.stdout) output += chunk;
      return output;
    };
    const untrusted = /certificate\. Set its CA in NODE_EXTRA_CA_CERTS, or in credentials\.rootCertificate\n$/;
    const roots = { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: other.ca };
    expect(
      await Promise.all([
        said({ DEADLINE: "5000" }),
        said({ NODE_EXTRA_CA_CERTS: ca }),
        said({ ...roots, NODE_EXTRA_CA_CERTS: ca }),
      ]),
    ).toEqual([expect.stringMatching(untrusted), "trusted\n", "trusted\n"]);
  });

  it("a client with a certificate is let in, and a client without one is not", async () => {
    const { ca, cert, key } = makeCertificates();
    const host = await start({ tls: { cert, key, clientCa: ca } });
    const credentials = { rootCertificate: ca, certChain: cert, privateKey: key };
    const etcd = await openEtcd({ hosts: `https://${host}`, credentials });
    const seen = new Recorder();
    await etcd.watch(channel("c"), seen);
    await put(etcd, "c a", "1");
    await until(() => seen.of("c a").length === 1);
    const stranger = openEtcd({ hosts: `https://${host}`, credentials: { rootCertificate: ca }, deadline: 3_000 });
    // The server closes each connection. If the client connects slowly, its deadline ends that.
    await expect(stranger).rejects.toMatchObject({ code: expect.stringMatching(/^(UNAVAILABLE|TIMEOUT)$/) });
  });

  it("a server without TLS is reported as that, where hosts ask for TLS", async () => {
    const plain = await start();
    await expect(openEtcd({ hosts: `https://${plain}`, deadline: 1_000 })).rejects.toMatchObject({
      message: expect.stringMatching(/the connection was closed before a call\. Either both sides use TLS or neither/),
    });
  });
});

describe.skipIf(missing !== undefined)("a client of the caller", () => {
  it("a client that the caller passed in is used, and left open", async () => {
    const hosts = await start();
    const client = new Etcd3({ hosts });
    onTestFinished(() => client.close());
    const etcd = await openEtcd({ client });
    await put(etcd, "c a", "1");
    await etcd.close();
    expect(await client.get("ojm/c a").string()).toBe("1");
  });

  it("a client that the caller passed in keeps to its namespace", async () => {
    const hosts = await start();
    const client = new Etcd3({ hosts });
    onTestFinished(() => client.close());
    const etcd = await openEtcd({ client: client.namespace("tenant/"), keyPrefix: "jobs/" });
    await put(etcd, "c a", "1");
    expect(await client.get("tenant/jobs/c a").string()).toBe("1");
  });

  it("a client that the caller passed in repeats its own calls after a lost reply, and never a commit of ours", async () => {
    const hosts = await start();
    const direct = await openEtcd({ hosts });
    const proxy = await TcpProxy.start({ port: Number(hosts.split(":")[1]) });
    onTestFinished(() => proxy.close());
    const client = new Etcd3({ hosts: `127.0.0.1:${proxy.port}` });
    onTestFinished(() => client.close());
    const etcd = await openEtcd({ client });
    /** Makes a call, and breaks the connection once the call is carried out but not answered. */
    const unanswered = async <T>(key: string, call: () => Promise<T>): Promise<T> => {
      await etcd.read([key]);
      const heal = await proxy.dropReplies();
      const answer = call();
      answer.catch(() => undefined);
      await until(async () => (await direct.read([key]))[0] !== undefined);
      proxy.cut();
      await heal();
      return await answer;
    };
    const timesPut = async (key: string): Promise<unknown> => (await client.get(`ojm/${key}`).exec()).kvs[0]?.version;

    await unanswered("c theirs", () => client.put("ojm/c theirs").value("1 - 1").exec());
    expect(await timesPut("c theirs")).toBe("2");
    await expect(unanswered("c ours", () => put(etcd, "c ours", "1"))).rejects.toMatchObject({ outcome: "unknown" });
    expect(await timesPut("c ours")).toBe("1");
  });
});

describe.skipIf(missing !== undefined)("a process with an etcd backend", () => {
  it("a process exits by itself once its etcd backend is closed", async () => {
    const hosts = await start();
    const program = `
      import { systemClock } from "@ojm/core/backend";
      import { backend } from "@ojm/etcd";
      const etcd = await backend.open({ hosts: "${hosts}" }, { clock: systemClock });
      await etcd.watch({ from: "c ", to: "c!" }, { change() {}, gap() {}, fail() {} });
      await etcd.commit({ checks: [], writes: [{ key: "c a", value: "1", ttl: 60_000 }] });
      await etcd.close();
      console.log("closed");
    `;
    const child = spawn(process.execPath, [...jsArgs(), "--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: fileURLToPath(new URL("..", import.meta.url)),
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect([code, output.trim()]).toEqual([0, "closed"]);
  });
});
