import { openJobManager } from "@ojm/core";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { openAlerts } from "./index.js";
import { startReceiver } from "./testing/http-server.js";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

test("a receiver that accepts an alert and answers too late gets it again, under its id, with a new signature", async () => {
  const receiver = await startReceiver();
  receiver.answer = () => {
    receiver.answer = (response) => void response.writeHead(200).end();
  };
  await using manager = await openJobManager();
  const rules = [{ on: ["failed"], to: { webhook: receiver.url, secret, deadline: 100 } }] as const;
  await using _ = await openAlerts(manager, { rules, every: 1_000 });
  await expect(manager.run("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect.poll(() => receiver.received.length).toBe(2);
  const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
  expect(ids[0]).toBe(ids[1]);
  for (const { body, headers } of receiver.received)
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toMatchObject({ type: "run.failed" });
});
