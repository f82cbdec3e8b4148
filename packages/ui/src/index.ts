/** The cockpit of ojm in a browser. */
export type { Role } from "./contract/session.js";
