import { expect, it } from "vitest";
import { explain } from "../errors.js";
import type { RedisClient } from "./client.js";
import { Call, type CallOwner, type Waiting } from "./connection.js";

it("the outcome of an aborted call is unknown only if it was sent", async () => {
  const owner: CallOwner = {
    client: {} as RedisClient,
    forget: () => {},
    wait: () => expect.unreachable(),
    explain: () => expect.unreachable(),
    overdue: () => expect.unreachable(),
  };
  for (const [sent, outcome] of [
    [true, "unknown"],
    [false, "not-applied"],
  ]) {
    const stop = new AbortController();
    const call = new Call(owner, () => new Promise(() => {}), stop.signal);
    if (sent) call.go();
    stop.abort();
    await expect(call.result).rejects.toMatchObject({ code: "ABORTED", outcome });
  }
});

it("a call that the client refused to send waits for the next connection, and is sent there", async () => {
  const refused = new Error("Stream isn't writeable and enableOfflineQueue options is false");
  const answers = [Promise.reject(refused), Promise.resolve("done")];
  let waiting: Waiting | undefined;
  const owner: CallOwner = {
    client: {} as RedisClient,
    forget: () => {},
    wait: (call) => {
      waiting = call;
    },
    explain: (error) => explain(error, "Redis", true) as ReturnType<CallOwner["explain"]>,
    overdue: () => expect.unreachable(),
  };
  const call = new Call(owner, () => answers.shift() ?? expect.unreachable(), undefined);
  call.go();
  await Promise.race([call.result, expect.poll(() => waiting).toBe(call)]);
  call.go();
  expect(await call.result).toBe("done");
});
