import * as v from "valibot";
import type { Schema } from "./common.js";

/** What somebody may do: look, also operate, also take locks by force. */
export type Role = "read" | "operate" | "admin";

/** `GET api/v1/me`: who asks, and what they look at. */
export interface Me {
  readonly user: string;
  readonly role: Role;
  /** Whether every act is refused, whatever the role. */
  readonly readOnly: boolean;
  /** The version of ojm that serves this. */
  readonly version: string;
  /** The store in words, without a password. */
  readonly store: string;
  /**
   * The store as `ojm --store` names it, with `***` for a password. Absent if the command line cannot open
   * it.
   */
  readonly address?: string;
  /** The clock of the server, in ms since 1970. */
  readonly now: number;
  /** Whether the results of runs are shown. */
  readonly showResults: boolean;
}

export const meSchema: Schema<Me> = v.strictObject({
  user: v.string(),
  role: v.picklist(["read", "operate", "admin"]),
  readOnly: v.boolean(),
  version: v.string(),
  store: v.string(),
  address: v.exactOptional(v.string()),
  now: v.number(),
  showResults: v.boolean(),
});

/** `POST api/v1/session`: the launch token, which is exchanged for a cookie. */
export interface SessionRequest {
  readonly token: string;
}

export const sessionRequestSchema: Schema<SessionRequest> = v.strictObject({
  token: v.pipe(v.string(), v.maxLength(200)),
});
