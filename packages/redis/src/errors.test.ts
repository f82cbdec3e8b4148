import { describe, expect, it } from "vitest";
import { explain, ofRead } from "./errors.js";

function replyError(message: string): Error {
  const error = new Error(message);
  error.name = "ReplyError";
  return Object.assign(error, { command: { name: "evalsha", args: ["s3cret value"] } });
}

describe("errors of Redis", () => {
  it.each([
    ["NOAUTH Authentication required.", "DENIED", false],
    ["WRONGPASS invalid username-password pair or user is disabled.", "DENIED", false],
    ["NOPERM User x has no permissions to access one of the keys mentioned in the command", "DENIED", false],
    ["OOM command not allowed when used memory > 'maxmemory'. script: 1, on @user_script:2.", "FULL", true],
    [
      "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
      "READ_ONLY",
      true,
    ],
    ["MISCONF Errors writing to the AOF file: No space left on device", "FULL", true],
    ["READONLY You can't write against a read only replica. script: 1, on @user_script:2.", "READ_ONLY", true],
    ["NOREPLICAS Not enough good replicas to write.", "UNAVAILABLE", true],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "UNAVAILABLE", true],
    ["LOADING Redis is loading the dataset in memory", "UNAVAILABLE", true],
    ["BUSY Redis is busy running a script.", "UNAVAILABLE", true],
    ["CLUSTERDOWN The cluster is down", "UNAVAILABLE", true],
    ["TRYAGAIN Multiple keys request during rehashing of slot", "UNAVAILABLE", true],
    ["MOVED 3999 127.0.0.1:6381", "INVALID_CONFIG", false],
    ["CROSSSLOT Keys in request don't hash to the same slot", "NOT_SUPPORTED", false],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "CORRUPT", false],
    ["ERR max number of clients reached", "UNAVAILABLE", true],
    ["ERR AUTH <password> called without any password configured for the default user.", "DENIED", false],
    [
      "All sentinels are unreachable. Retrying from scratch after 50ms. Last error: NOAUTH Authentication required.",
      "DENIED",
      false,
    ],
    ["ERR DB index is out of range", "INVALID_CONFIG", false],
    ["ERR unknown command 'EVALSHA'", "NOT_SUPPORTED", false],
    ["ERR Script attempted to access a non local key in a cluster node script: 1", "UNAVAILABLE", true],
  ])("a reply of Redis becomes an error of its code, with the outcome not-applied: %s", (message, code, retryable) => {
    const error = explain(replyError(message), "Redis at a:1", true);
    expect(error).toMatchObject({ code, retryable, outcome: "not-applied" });
    expect(error.message).toMatch(/^Redis at a:1 /);
  });

  it("the outcome is unknown if the connection closes, or the reply is an unfamiliar error, after sending", () => {
    const closed = new Error("Connection is closed.");
    expect(explain(closed, "Redis", true)).toMatchObject({ code: "UNAVAILABLE", retryable: true, outcome: "unknown" });
    expect(explain(closed, "Redis", false)).toMatchObject({ outcome: "not-applied" });
    expect(explain(replyError("ERR something new"), "Redis", true)).toMatchObject({
      code: "FAILED",
      outcome: "unknown",
    });
  });

  it("an error of a read never has the outcome unknown, as a read changes nothing", () => {
    const error = explain(new Error("Connection is closed."), "Redis", true);
    expect(ofRead(error)).toMatchObject({ code: "UNAVAILABLE", retryable: true, outcome: "not-applied" });
    expect((ofRead(error) as Error).message).not.toContain("not known");
    const refused = explain(replyError("NOAUTH Authentication required."), "Redis", true);
    expect(ofRead(refused)).toBe(refused);
  });

  it("the word auth in the name of a host is not mistaken for a reply of the server", () => {
    const error = Object.assign(new Error("getaddrinfo ENOTFOUND auth.example.com"), { code: "ENOTFOUND" });
    expect(explain(error, "Redis", false)).toMatchObject({ code: "UNAVAILABLE", retryable: true });
  });

  it("another server at the address is named as such, not as a fault of the client", () => {
    const error = new Error('Unknown RESP type 72 "H". Please report this.');
    expect(explain(error, "Redis at a:1", false).message).toContain("not reachable (what answers there is not Redis)");
  });

  it("an error about a certificate that is not trusted is not retryable", () => {
    const error = Object.assign(new Error("self-signed certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    expect(explain(error, "Redis", false)).toMatchObject({ code: "UNAVAILABLE", retryable: false });
  });

  it("an error keeps nothing of the command, as commands hold values and passwords", () => {
    const { cause } = explain(replyError("WRONGPASS invalid"), "Redis", true);
    expect(cause).not.toHaveProperty("command");
    const all = Object.assign(new Error("Failed to refresh slots cache."), { lastNodeError: replyError("NOAUTH no") });
    const explained = explain(all, "the Cluster", false);
    expect(explained.code).toBe("DENIED");
    expect(explained.cause).not.toHaveProperty("command");
  });
});
