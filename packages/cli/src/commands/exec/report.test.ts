import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, onTestFinished, test } from "vitest";
import { type HttpReceiver, startReceiver } from "../../../../alerts/src/testing/http-server.js";
import { called } from "../../testing/called.js";
import { type Ended, Ojm, start } from "../../testing/ojm.js";
import { storeIn } from "../../testing/store.js";

const STORE = ["--store", "sqlite:ojm.db"];

/** Starts `ojm exec backup` with these options and this shell script. */
function exec(folder: string, script: string, ...options: readonly string[]): Ojm {
  return start(folder, "exec", "backup", ...options, "--", "sh", "-c", script);
}

const paths = ({ received }: HttpReceiver): string[] => received.map(({ path }) => path);

describe("ojm exec --ping", () => {
  const pinged = (folder: string, url: string, script: string, ...options: readonly string[]): Promise<Ended> =>
    exec(folder, script, ...STORE, "--ping", url, ...options).ended;

  test("reports the start and the end of the command, and a failure by its exit code", async () => {
    const receiver = await startReceiver();
    const folder = folderWith({});
    const url = `${receiver.url}/uuid/`;
    expect(await pinged(folder, `${url}?create=1`, "exit 0")).toMatchObject({ code: 0, out: "" });
    expect(await pinged(folder, url, "exit 3")).toMatchObject({ code: 3, err: "" });
    expect(await pinged(folder, url, "kill -KILL $$")).toMatchObject({ code: 137 });
    expect(await pinged(folder, url, "exec sleep 60", "--timeout", "100ms")).toMatchObject({ code: 124 });
    expect(paths(receiver)).toEqual([
      ...["/uuid/start?create=1", "/uuid?create=1"],
      ...["/uuid/start", "/uuid/3", "/uuid/start", "/uuid/137", "/uuid/start", "/uuid/124"],
    ]);
    expect(receiver.received[3]?.body).toMatch(/^backup@\S+ has ended with exit code 3$/);
  });

  test("reports a command with attempts as one: its first start and its last end", { tags: ["full"] }, async () => {
    const receiver = await startReceiver();
    const folder = folderWith({});
    const script = "[ -e tried ] && exit 0; touch tried; exit 1";
    const { code } = await pinged(folder, receiver.url, script, "--retry", "2", "--retry-delay", "10ms");
    expect([code, paths(receiver)]).toEqual([0, ["/start", "/"]]);
  });

  test("reports no command that did not begin: the lock is held, or the tick is taken", {
    tags: ["full"],
  }, async () => {
    const receiver = await startReceiver();
    const folder = folderWith({});
    expect((await pinged(folder, receiver.url, "exit 0", "--once-per", "1h")).code).toBe(0);
    const before = paths(receiver);
    expect((await pinged(folder, receiver.url, "exit 0", "--once-per", "1h")).code).toBe(76);
    const manager = await storeIn(folder);
    await using _ = await manager.lock("backup");
    expect((await pinged(folder, receiver.url, "exit 0")).code).toBe(75);
    expect(paths(receiver)).toEqual(before);
  });

  test("lets the command begin and end while the check has not answered, and reports the start before the end", {
    tags: ["full"],
  }, async () => {
    const receiver = await startReceiver();
    const held: (() => void)[] = [];
    receiver.answer = (response, { path }) => {
      if (path === "/start") held.push(() => void response.writeHead(200).end());
      else response.writeHead(200).end();
    };
    const folder = folderWith({});
    const ojm = exec(folder, "touch over; exit 4", ...STORE, "--ping", receiver.url);
    await expect.poll(() => existsSync(join(folder, "over"))).toBe(true);
    await expect.poll(() => held.length).toBe(1);
    const manager = await storeIn(folder);
    await expect.poll(async () => (await manager.heldLocks()).length).toBe(0);
    expect(paths(receiver)).toEqual(["/start"]);
    held[0]?.();
    expect((await ojm.ended).code).toBe(4);
    expect(paths(receiver)).toEqual(["/start", "/4"]);
  });

  test("keeps the exit code of the command when the check takes nothing, and shows no address", {
    tags: ["full"],
  }, async () => {
    const receiver = await startReceiver();
    receiver.answer = (response) => void response.writeHead(404).end();
    const folder = folderWith({});
    const { code, err } = await pinged(folder, `${receiver.url}/s3cret`, "exit 3");
    expect([code, paths(receiver)]).toEqual([3, ["/s3cret/start", "/s3cret/3"]]);
    const said = err.split("\n").filter((line) => line.startsWith("ojm: --ping"));
    expect(said).toEqual(
      ["start", "end"].map((what) => `ojm: --ping: the ${what} of the command is not reported: it answered 404`),
    );
    expect(err).not.toContain("s3cret");
    const gone = await pinged(folder, "http://127.0.0.1:1/s3cret", "exit 0");
    expect([gone.code, gone.err]).toEqual([0, expect.stringContaining("the end of the command is not reported")]);
    expect(gone.err).not.toMatch(/s3cret|127\.0/);
    const manager = await storeIn(folder);
    for await (const run of manager.history()) expect(JSON.stringify(run)).not.toContain("s3cret");
  });

  test.each(["nowhere", "ftp://a/b", "https://user:s3cret@a/b"])("refuses %s, before the command", async (url) => {
    const folder = folderWith({});
    const { code, err } = await called(folder, [
      "exec",
      "a",
      ...STORE,
      "--ping",
      url,
      "--",
      "touch",
      join(folder, "begun"),
    ]);
    expect([code, err]).toEqual([2, expect.stringMatching(/^ojm: --ping must (be an address|have no user)/)]);
    expect([err.includes("s3cret"), existsSync(join(folder, "begun"))]).toEqual([false, false]);
  });
});

describe("notify in a config", () => {
  /** A folder with a config. The test sets the variables of the environment. */
  function configured(notify: unknown, more: Readonly<Record<string, string>> = {}): string {
    return folderWith({ "ojm.config.json": JSON.stringify({ store: "sqlite:ojm.db", notify }), ...more });
  }

  function withEnvironment(variables: Readonly<Record<string, string>>): void {
    Object.assign(process.env, variables);
    onTestFinished(() => {
      for (const name of Object.keys(variables)) delete process.env[name];
    });
  }

  test("ojm exec delivers the alerts of its run before it ends, wherever its store is named", async () => {
    const receiver = await startReceiver();
    withEnvironment({ OJM_TEST_HOOK: `${receiver.url}/s3cret` });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: ojm fills it
    const rules = [{ on: ["failed", "recovered"], jobs: "back*", to: { webhook: "${OJM_TEST_HOOK}" } }];
    const folder = configured({ url: "https://ops.example.com", rules });
    expect(await exec(folder, "exit 0").ended).toMatchObject({ code: 0, err: expect.not.stringContaining("alert") });
    expect(receiver.received).toEqual([]);
    expect(await exec(folder, "exit 3", ...STORE).ended).toMatchObject({ code: 3, err: "" });
    expect((await exec(folder, "exit 0").ended).code).toBe(0);
    const alerts = receiver.received.map(({ body }) => JSON.parse(body).data);
    expect(alerts.map(({ kind, name, error }) => [kind, name, error])).toEqual([
      ["failed", "backup", "it ended with exit code 3"],
      ["recovered", "backup", undefined],
    ]);
    expect(alerts[0].link).toBe(`https://ops.example.com/runs/${encodeURIComponent(alerts[0].run)}`);
  });

  test("a receiver that is down costs no exit code, and the next ojm exec delivers", { tags: ["full"] }, async () => {
    const receiver = await startReceiver();
    receiver.answer = (response) => void response.writeHead(503, { "retry-after": "1" }).end();
    const folder = configured([{ on: "failed", to: { webhook: receiver.url } }]);
    const { code, err } = await exec(folder, "exit 3").ended;
    expect([code, err]).toEqual([3, expect.stringMatching(/^ojm: 1 alert waits in the store: the next process/m)]);
    receiver.answer = (response) => void response.writeHead(204).end();
    const before = receiver.received.length;
    await expect
      .poll(async () => [(await exec(folder, "exit 0").ended).code, receiver.received.length])
      .toEqual([0, before + 1]);
  });

  test("the next ojm exec delivers the alert about the run of an ojm that was killed", { tags: ["full"] }, async () => {
    const receiver = await startReceiver();
    const folder = configured([{ on: "lost", to: { webhook: receiver.url } }]);
    const killed = exec(folder, "echo began $$; exec sleep 60");
    await killed.prints("\n");
    killed.process.kill("SIGKILL");
    process.kill(Number(killed.out.replace("began ", "")), "SIGKILL");
    await killed.ended;
    expect((await exec(folder, "exit 0", "--wait", "1m").ended).code).toBe(0);
    expect(receiver.received.map(({ body }) => JSON.parse(body).data)).toMatchObject([
      { kind: "lost", name: "backup" },
    ]);
  });

  test("a program with a slash in its name begins at the folder of the config, and YAML is read too", {
    tags: ["full"],
  }, async () => {
    const folder = folderWith({
      "ojm.config.yaml": "store: sqlite:ojm.db\nnotify:\n  - { on: failed, to: { command: [./tell.sh] } }\n",
      "tell.sh": '#!/bin/sh\ncat > "$(dirname "$0")/told.json"\n',
    });
    chmodSync(join(folder, "tell.sh"), 0o755);
    expect((await exec(folder, "exit 3").ended).code).toBe(3);
    expect(JSON.parse(readFileSync(join(folder, "told.json"), "utf8"))).toMatchObject({ kind: "failed" });
  });

  test("a config that is a program has it too, if OJM_CONFIG names it", { tags: ["full"] }, async () => {
    const receiver = await startReceiver();
    const rule = `{ on: ["failed"], to: { webhook: "${receiver.url}" } }`;
    const folder = folderWith({ "my.mjs": `export default { store: "sqlite:ojm.db", notify: [${rule}] };\n` });
    const env = { ...process.env, OJM_CONFIG: join(folder, "my.mjs") };
    const words = ["exec", "backup", "--", "sh", "-c", "exit 3"];
    expect((await new Ojm(folder, words, env).ended).code).toBe(3);
    expect(receiver.received).toHaveLength(1);
  });

  test.each([
    [[{ on: "fail", to: { slack: "https://a/s3cret" } }], /ojm\.config\.json:1:\d+: "on" must be one of started/],
    [[{ on: "failed", to: { slack: "a" } }], /ojm\.config\.json:1:\d+: notify\[0\]\.to\.slack must be an address/],
    [
      { url: "a", rules: [{ on: "failed", to: { slack: "https://a" } }] },
      /json:1:\d+: "notify": url must be an address/,
    ],
    [[{ on: "failed", to: { slack: "https://{{host}}" } }], /Write \$\{host\}, and set host in the environment/],
    [[{ on: "failed", to: { command: ["./none.sh"] } }], /there is no file \.\/none\.sh beside/],
  ])("a wrong rule keeps the command from beginning: %j", async (notify, message) => {
    const folder = configured(notify);
    const { code, err } = await called(folder, ["exec", "a", "--", "touch", join(folder, "begun")]);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    expect([err.includes("s3cret"), existsSync(join(folder, "begun"))]).toEqual([false, false]);
  });

  test("is not used of a config that was only found, and that others may write to", async () => {
    const folder = configured([{ on: "failed", to: { command: ["touch", "told"] } }]);
    chmodSync(join(folder, "ojm.config.json"), 0o666);
    const { code, err } = await called(folder, ["exec", "a", ...STORE, "--", "touch", join(folder, "begun")]);
    expect([code, err]).toEqual([4, expect.stringContaining("is not used: others may write to it")]);
    expect(existsSync(join(folder, "begun"))).toBe(false);
    writeFileSync(join(folder, "ojm.config.json"), "{}");
    expect((await called(folder, ["exec", "a", ...STORE, "--", "true"])).code).toBe(0);
  });
});
