import { describe, expect, it } from "vitest";
import { channelErrorOf, rpcErrorOf } from "./errors.js";

/** An error in the form of grpc-js. */
function grpc(code: number, details: string): Error {
  return Object.assign(new Error(`${code} NAME: ${details}`), { code, details });
}

describe("errors of etcd", () => {
  it.each([
    [14, "No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1"],
    [14, "Channel closed before call started"],
    [14, "Name resolution failed for target dns:nowhere:2379"],
    [4, "Deadline exceeded after 1.002s,name resolution: 0.001s,Waiting for LB pick"],
    [4, "Deadline exceeded after 1.002s,waiting for name resolution"],
  ])("a commit that was not sent has the outcome not-applied: %i %s", (code, details) => {
    const error = rpcErrorOf(grpc(code, details));
    expect(error.sent).toBe(false);
    expect(channelErrorOf(error, "host:1", true)).toMatchObject({ outcome: "not-applied", retryable: true });
  });

  it.each([
    [4, "Deadline exceeded after 1.002s,remote_addr=127.0.0.1:1"],
    [
      4,
      "Deadline exceeded after 1.002s,name resolution: 0.003s,metadata filters: 0.001s,LB pick: 0.1s,remote_addr=a:1",
    ],
    [4, "Deadline exceeded after 1.002s,previous attempts: 1,Waiting for LB pick"],
    [14, "Connection dropped"],
    [14, "read ECONNRESET"],
    [14, "etcdserver: request timed out, possibly due to previous leader failure"],
    [14, "etcdserver: leader changed"],
    [13, "Received RST_STREAM with code 2 (Internal server error)"],
    [1, "Cancelled on client"],
  ])("a commit that may have been sent has the outcome unknown: %i %s", (code, details) => {
    const error = rpcErrorOf(grpc(code, details));
    expect(error.sent).toBe(true);
    expect(channelErrorOf(error, "host:1", true)).toMatchObject({ outcome: "unknown", retryable: true });
    expect(channelErrorOf(error, "host:1", false)).toMatchObject({ outcome: "not-applied", retryable: true });
  });

  it.each([
    [8, "etcdserver: mvcc: database space exceeded", "FULL", false],
    [8, "etcdserver: too many requests", "UNAVAILABLE", true],
    [3, "etcdserver: request is too large", "TOO_LARGE", false],
    [3, "etcdserver: too many operations in txn request", "TOO_LARGE", false],
    [7, "etcdserver: permission denied", "DENIED", false],
    [3, "etcdserver: authentication failed, invalid user ID or password", "DENIED", false],
    [3, "etcdserver: user name is empty", "DENIED", false],
    [9, "etcdserver: authentication is not enabled", "INVALID_CONFIG", false],
    [15, "etcdserver: corrupt cluster", "CORRUPT", false],
    [12, "unknown method Txn", "FAILED", false],
  ])("a commit that etcd refused has the outcome not-applied: %i %s", (code, details, expected, retryable) => {
    const error = channelErrorOf(rpcErrorOf(grpc(code, details)), "host:1", true);
    expect(error).toMatchObject({ code: expected, outcome: "not-applied", retryable });
    expect(error.message).toContain("host:1");
  });

  it("the code of an error is read from its text, if etcd3 leaves nothing else of the error", () => {
    expect(rpcErrorOf(new Error("14 UNAVAILABLE: Connection dropped"))).toMatchObject({ code: 14, sent: true });
  });

  it.each([
    [
      4,
      "Deadline exceeded after 4.998s,name resolution: 0.099s,metadata filters: 0.001s,Waiting for LB pick",
      "etcd at host:1 cannot be reached: no connection within 5 s",
    ],
    [
      4,
      "Deadline exceeded after 1.002s,LB pick: 0.1s,remote_addr=10.0.0.1:1",
      "etcd at host:1 did not answer in time: no answer within 1 s",
    ],
    [
      14,
      "No connection established. Last error: null. Resolution note: ",
      "etcd at host:1 is unavailable: the connection was closed before a call. Either both sides use TLS or neither: it is written https:// in hosts, and etcds:// in a URL. The CA of the server must be known: see NODE_EXTRA_CA_CERTS",
    ],
    [
      14,
      "No connection established. Last error: Failed to connect (2026-11-27T18:31:08.311Z)",
      "etcd at host:1 is unavailable: the connection was closed before a call. Either both sides use TLS or neither: it is written https:// in hosts, and etcds:// in a URL. The CA of the server must be known: see NODE_EXTRA_CA_CERTS",
    ],
    [
      14,
      "No connection established. Last error: Error: unable to verify the first certificate",
      "etcd at host:1 is unavailable: unable to verify the first certificate. Set its CA in NODE_EXTRA_CA_CERTS, or in credentials.rootCertificate",
    ],
    [
      14,
      "14 UNAVAILABLE: No connection established. Last error: null. Resolution note: ",
      "etcd at host:1 is unavailable: the connection was closed before a call. Either both sides use TLS or neither: it is written https:// in hosts, and etcds:// in a URL. The CA of the server must be known: see NODE_EXTRA_CA_CERTS",
    ],
    [
      14,
      "No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1",
      "etcd at host:1 is unavailable: connect ECONNREFUSED 127.0.0.1:1. To start a server on this host: etcd --listen-client-urls http://127.0.0.1:1 --advertise-client-urls http://127.0.0.1:1",
    ],
    [
      14,
      "No connection established. Last error: Error: connect ECONNREFUSED ::1:2379",
      "etcd at host:1 is unavailable: connect ECONNREFUSED ::1:2379. To start a server on this host: etcd",
    ],
    [
      14,
      "No connection established. Last error: Error: connect ECONNREFUSED 10.0.0.1:2379",
      "etcd at host:1 is unavailable: connect ECONNREFUSED 10.0.0.1:2379",
    ],
  ])("a message has no internals of gRPC: %i %s", (code, details, message) => {
    expect(channelErrorOf(rpcErrorOf(grpc(code, details)), "host:1", true).message).toBe(message);
  });
});
