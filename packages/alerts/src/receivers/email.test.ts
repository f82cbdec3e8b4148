import type { AddressInfo } from "node:net";
import type { InMs } from "@ojm/core/internal";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { expect, onTestFinished, test } from "vitest";
import type { Outcome } from "../deliver/outcome.js";
import { example } from "../testing/example.js";
import type { EmailReceiver } from "../types.js";
import { send } from "./receivers.js";

interface MailServer {
  readonly port: number;
  readonly mails: { readonly from: string; readonly to: string[]; readonly text: string; readonly user: unknown }[];
}

/** A mail server on this host, which takes the password "right". */
async function startServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: MailServer["mails"] = [];
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    authOptional: true,
    onAuth: ({ username, password }, _, done) =>
      password === "right" ? done(null, { user: username }) : done(new Error("s3cret: wrong password")),
    onData(stream, { envelope, user }, done) {
      let text = "";
      stream.on("data", (bytes: Buffer) => {
        text += bytes.toString("utf8");
      });
      stream.on("end", () => {
        const { mailFrom, rcptTo } = envelope;
        mails.push({ from: mailFrom ? mailFrom.address : "", to: rcptTo.map(({ address }) => address), text, user });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  const listening = server.listen(0, "127.0.0.1");
  await new Promise((resolve) => listening.once("listening", resolve));
  onTestFinished(() => new Promise((resolve) => void server.close(() => resolve())));
  return { port: (listening.address() as AddressInfo).port, mails };
}

const deliver = (smtp: EmailReceiver["email"]["smtp"], more: Partial<InMs<EmailReceiver>> = {}): Promise<Outcome> => {
  const email = { to: ["ops@example.com", "Ana <ana@example.com>"], from: "ojm <ojm@example.com>", smtp };
  return send({ email, ...more }, example, { signal: new AbortController().signal, now: Date.now() });
};

test("a mail has the id of the alert as its Message-ID, and what is to be known of the run", async () => {
  const server = await startServer();
  expect(await deliver(`smtp://ops:right@127.0.0.1:${server.port}`)).toEqual({ type: "taken" });
  const [mail] = server.mails;
  expect(mail).toMatchObject({ from: "ojm@example.com", to: ["ops@example.com", "ana@example.com"], user: "ops" });
  const text = mail?.text.replace(/=\r\n/g, "") ?? "";
  expect(text).toContain(`Message-ID: <${example.id}@example.com>`);
  expect(text).toMatch(/^Subject: nightly <!channel> \*b\* failed \(4 times in a row\)\r$/m);
  expect(text).toContain("host: one");
  expect(text).toContain("it broke");
});

test("a wrong password and a server that is away are tried again later, and no secret is printed", async () => {
  const server = await startServer();
  const host = "127.0.0.1";
  const wrong = await deliver({ host, port: server.port, auth: { user: "ops", pass: "s3cret" } });
  expect(wrong).toEqual({ type: "later", why: "the mail server did not take it with EAUTH (535)" });
  expect(await deliver({ host, port: 1 })).toMatchObject({
    type: "later",
    why: expect.stringMatching(/ESOCKET|ECONN/),
  });
  expect(server.mails).toEqual([]);
});

test("a mail that the server does not want is refused, and one that it does not want now is tried later", async () => {
  const answer = (responseCode: number): SMTPServerOptions => ({
    onData: (stream, _, done) =>
      void stream.resume().on("end", () => done(Object.assign(new Error("no"), { responseCode }))),
  });
  const host = "127.0.0.1";
  const never = await startServer(answer(554));
  expect(await deliver({ host, port: never.port })).toMatchObject({
    type: "refused",
    why: expect.stringContaining("554"),
  });
  const later = await startServer(answer(451));
  expect(await deliver({ host, port: later.port })).toMatchObject({
    type: "later",
    why: expect.stringContaining("451"),
  });
});

test("a mail server that stops in the middle is left at the deadline", async () => {
  const server = await startServer({ onData: () => {} });
  const outcome = await deliver({ host: "127.0.0.1", port: server.port }, { deadline: 300 });
  expect(outcome).toMatchObject({ type: "later" });
});
