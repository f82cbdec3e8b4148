import { isChannelError } from "@ojm/core/backend";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { readOptions } from "./options.js";

/** The error message for these options. */
function fault(args: Readonly<Record<string, unknown>>): string {
  try {
    readOptions(args);
  } catch (error) {
    if (isChannelError(error) && error.code === "INVALID_CONFIG") return error.message;
    throw error;
  }
  return "nothing";
}

describe("options of Redis", () => {
  it("all options are optional and have defaults", () => {
    expect(readOptions({})).toMatchObject({ keyPrefix: "ojm:", deadline: 5_000, where: "Redis at localhost:6379" });
  });

  it("an unknown option is refused with the name of the nearest known option", () => {
    expect(fault({ passwort: "x" })).toContain('Did you mean "password"?');
    expect(fault({ keyprefix: "x" })).toContain('Did you mean "keyPrefix"?');
    expect(fault({ cluster: { node: [] } })).toContain('Did you mean "nodes"?');
  });

  it("options of ioredis that would send a command twice, or queue it, are refused", () => {
    for (const option of ["maxRetriesPerRequest", "autoResendUnfulfilledCommands", "enableOfflineQueue"]) {
      expect(fault({ [option]: true })).toContain(`no option "${option}"`);
    }
  });

  it.each([
    [{ url: "localhost:6379" }, "redis://"],
    [{ url: "http://localhost" }, "redis://"],
    [{ url: "redis://user:7000@localhost:99999/0" }, "the port 99999: a port is a number from 1 to 65535"],
    [{ url: "redis://h:0" }, "the port 0: a port is a number from 1 to 65535"],
    [{ url: "redis://" }, '"url" has no host: it is of the form redis://host:6379/0'],
    [{ url: "redis:///3" }, '"url" has no host'],
    [{ url: "redis:///var/run/redis.sock" }, '"url" has no host'],
    [{ url: "redis://?db=3" }, '"url" has no host'],
    [{ url: "redis://h?db=3" }, 'the query "db": a database is given as the path, as in redis://host:6379/3'],
    [{ url: "redis://h/1?foo=bar" }, 'the query "foo": it takes none but "family"'],
    [{ url: "redis://h?passwort=s3cret" }, 'the query "passwort"'],
    [{ url: "redis://h?keyPrefix=a" }, 'the query "keyPrefix": give it as an option beside "url"'],
    [{ url: "redis://h?enableOfflineQueue=true" }, 'the query "enableOfflineQueue": it takes none but "family"'],
    [{ url: "redis://h?family=6&db=1" }, 'the query "db"'],
    [{ url: "redis://h?family=five" }, 'the query "family": it is 0, 4 or 6'],
    [{ url: "redis://h/abc" }, 'the database "abc": a database is a number, as in redis://host:6379/3'],
    [{ url: "redis://u:s3#cret@h" }, "a /, ? or # before its @: in a user or a password, write them as"],
    [{ url: "redis://u:s3/cret@h" }, "a /, ? or # before its @"],
    [{ url: "redis://h/1#2" }, "a #: in a user or a password, write it as %23"],
    [{ cluster: { nodes: ["redis://a?foo=1"] } }, 'the query "foo"'],
    [{ deadline: 0 }, '"deadline"'],
    [{ deadline: "soon" }, '"deadline"'],
    [{ waitReplicas: -1 }, '"waitReplicas"'],
    [{ allowEviction: "yes" }, '"allowEviction"'],
    [{ allowLostWrites: 1 }, '"allowLostWrites"'],
    [{ sentinels: [{ host: "a" }] }, '"name"'],
    [{ cluster: {} }, '"cluster" needs nodes'],
    [{ cluster: { nodes: [{ port: 1 }] }, db: 1 }, '"cluster" excludes "db"'],
    [{ cluster: { nodes: [{ port: 1 }] }, waitReplicas: 1 }, '"waitReplicas"'],
    [{ client: "redis" }, '"client"'],
    [{ keyPrefix: "a{" }, '"keyPrefix"'],
    [{ keyPrefix: "{}" }, '"keyPrefix"'],
    [{ keyPrefix: 7 }, '"keyPrefix"'],
  ])("the invalid options %j are refused", (args, why) => {
    expect(fault(args)).toContain(why);
  });

  it("only with Sentinel, writes wait for a replica by default, and lost writes need explicit permission", () => {
    const by = { name: "main", sentinels: [{ host: "10.0.0.1", port: 26379 }] };
    const client = new Redis({ ...by, lazyConnect: true });
    onTestFinished(() => client.disconnect());
    const safe = { waitReplicas: 1, refuseLostWrites: false };
    for (const args of [by, { client }, { ...by, allowLostWrites: true }])
      expect(readOptions(args)).toMatchObject(safe);
    for (const args of [{ ...by }, { client }]) {
      expect(readOptions({ ...args, waitReplicas: 2 })).toMatchObject({ waitReplicas: 2, refuseLostWrites: false });
      const none = { ...args, waitReplicas: 0 };
      expect(readOptions(none)).toMatchObject({ waitReplicas: 0, refuseLostWrites: true });
      expect(readOptions({ ...none, allowLostWrites: true })).toMatchObject({
        waitReplicas: 0,
        refuseLostWrites: false,
      });
    }
    const elsewhere = { waitReplicas: 0, refuseLostWrites: false };
    for (const args of [{}, { url: "redis://a" }, { cluster: { nodes: ["redis://a"] } }]) {
      expect(readOptions(args)).toMatchObject(elsewhere);
    }
  });

  it("the description of the server and the error messages never show a secret of the options", () => {
    const shown = [
      readOptions({ url: "redis://user:s3cret@10.0.0.1:7000/2" }),
      readOptions({ host: "10.0.0.1", password: "s3cret" }),
      readOptions({ cluster: { nodes: ["redis://:s3cret@10.0.0.1:7000", { host: "10.0.0.2", password: "s3cret" }] } }),
      readOptions({ name: "main", sentinels: [{ host: "10.0.0.1", port: 26379 }], sentinelPassword: "s3cret" }),
    ].map(({ where }) => where);
    expect(shown).toEqual([
      "Redis at 10.0.0.1:7000",
      "Redis at 10.0.0.1:6379",
      "the Redis Cluster at 10.0.0.1:7000, 10.0.0.2:6379",
      'Redis "main" by the Sentinels 10.0.0.1:26379',
    ]);
    for (const url of ["http://:s3cret@localhost", "redis://h?password=s3cret", "redis://h#s3cret", "redis://:s3cret@"])
      expect(fault({ url })).not.toMatch(/s3cret|nothing/);
  });

  it("the key prefix of a client that the caller passed in comes before the prefix of the backend", async () => {
    const client = new Redis({ lazyConnect: true, keyPrefix: "shop:", host: "10.0.0.1", maxRetriesPerRequest: 7 });
    onTestFinished(() => client.disconnect());
    const settings = readOptions({ client });
    expect(settings).toMatchObject({ keyPrefix: "shop:ojm:", where: "Redis at 10.0.0.1:6379" });
    const made = await settings.create();
    expect(made).not.toBe(client);
    expect(made.options).toMatchObject({ keyPrefix: "", host: "10.0.0.1", maxRetriesPerRequest: 0 });
    expect(fault({ client, host: "10.0.0.2" })).toContain('excludes "host"');
  });

  it("all other options are passed on to ioredis", async () => {
    const tls = { rejectUnauthorized: false };
    const made = await readOptions({ url: "rediss://10.0.0.1:7000/3", tls, username: "u", family: 4 }).create();
    expect(made.options).toMatchObject({ host: "10.0.0.1", port: 7000, db: 3, tls, username: "u", family: 4 });
    const asked = await readOptions({ url: "redis://10.0.0.1/3?family=6" }).create();
    expect(asked.options).toMatchObject({ db: 3, family: 6 });
    const cluster = { nodes: [{ port: 1 }], options: { redisOptions: { connectionName: "jobs" } } };
    const all = await readOptions({ cluster, password: "p" }).create();
    expect(all.options).toMatchObject({
      retryDelayOnFailover: 0,
      redisOptions: { connectionName: "jobs", password: "p", maxRetriesPerRequest: 0 },
    });
  });
});
