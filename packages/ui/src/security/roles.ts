import type { Endpoint } from "../contract/endpoint.js";
import type { Role } from "../contract/types.js";
import type { Viewer } from "../types.js";
import { Refusal } from "./refusal.js";

const RANK: readonly Role[] = ["read", "operate", "admin"];

/** @throws Refusal `DENIED` if a viewer may not do this */
export function checkRole({ role, method, id }: Endpoint, viewer: Viewer, readOnly: boolean): void {
  if (role === "none") return;
  if (readOnly && method !== "GET" && role !== "read") {
    throw new Refusal("DENIED", "this UI is read-only: use the command line, or a UI without readOnly");
  }
  if (RANK.indexOf(viewer.role) >= RANK.indexOf(role)) return;
  throw new Refusal("DENIED", `"${id}" needs the role ${role}, and ${viewer.user} has ${viewer.role}`);
}

/** Whether `authorize` returned a viewer: it is code of the user. */
export function isViewer(value: unknown): value is Viewer {
  const { user, role } = (typeof value === "object" && value !== null ? value : {}) as Partial<Viewer>;
  return typeof user === "string" && user !== "" && RANK.includes(role as Role);
}
