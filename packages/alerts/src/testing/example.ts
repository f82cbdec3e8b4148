import type { Alert } from "../types.js";

/** An alert as a rule sends it. */
export const example: Alert = {
  id: "msg_2b1f0c9d8e7a6b5c4d3e2f1a0b9",
  kind: "failed",
  rule: "pager",
  run: "nightly <!channel> @2030-01-01T00:00:00.000Z",
  name: "nightly <!channel> *b*",
  status: "failed",
  error: "it broke\nat <https://evil.example|here>",
  host: "one",
  started: "2030-01-01T00:00:00.000Z",
  ended: "2030-01-01T01:01:01.000Z",
  duration: 3_661_000,
  attempt: 2,
  attempts: 3,
  streak: 4,
};
