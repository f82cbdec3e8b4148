import * as v from "valibot";
import { type HolderView, holderSchema, type Schema } from "./common.js";

/** Something that somebody did. */
export interface AuditEntry {
  /** In ms since 1970. */
  readonly at: number;
  /** `unlock`, `cancel`, `hold`, `pause` … */
  readonly action: string;
  readonly name: string;
  /** Who did it: a name and an address, or the host and the process. */
  readonly actor: string;
  /** Empty if none was given. */
  readonly reason: string;
  /** From whom it was taken, and the fence of that lock. */
  readonly holder?: HolderView;
  readonly fence?: string;
  /** The id of the run that it is about. */
  readonly run?: string;
}

/** `GET api/v1/audit?before&limit&name`: newest first; `before` is a time. */
export interface Audit {
  readonly entries: readonly AuditEntry[];
  readonly more: boolean;
}

export const auditSchema: Schema<Audit> = v.strictObject({
  entries: v.array(
    v.strictObject({
      at: v.number(),
      action: v.string(),
      name: v.string(),
      actor: v.string(),
      reason: v.string(),
      holder: v.exactOptional(holderSchema),
      fence: v.exactOptional(v.string()),
      run: v.exactOptional(v.string()),
    }),
  ),
  more: v.boolean(),
});
