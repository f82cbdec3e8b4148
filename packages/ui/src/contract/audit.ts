import * as v from "valibot";
import { type HolderView, holderSchema, type Schema } from "./common.js";

/** Something that somebody did. */
export interface AuditEntry {
  /** In ms since 1970. */
  readonly at: number;
  /** Such as `unlock`, `cancel`, `pause`; `end-hold` is an unlock that ended a hold. */
  readonly action: string;
  readonly name: string;
  /** Who did it: a name and an address, or the host and the process. */
  readonly actor: string;
  readonly reason?: string;
  /** From whom it was taken, and the fence of that lock. */
  readonly holder?: HolderView;
  readonly fence?: string;
  /** The id of the run that it is about. */
  readonly run?: string;
}

/** `GET api/v1/audit?before&limit&name&q`: newest first; `before` is a time. */
export interface Audit {
  readonly entries: readonly AuditEntry[];
  readonly more: boolean;
  /** Of an empty list: a name that is near, if none is or has in it what was asked for. */
  readonly meant?: string;
}

export const auditSchema: Schema<Audit> = v.strictObject({
  entries: v.array(
    v.strictObject({
      at: v.number(),
      action: v.string(),
      name: v.string(),
      actor: v.string(),
      reason: v.exactOptional(v.string()),
      holder: v.exactOptional(holderSchema),
      fence: v.exactOptional(v.string()),
      run: v.exactOptional(v.string()),
    }),
  ),
  more: v.boolean(),
  meant: v.exactOptional(v.string()),
});
