export type { ActRequest } from "../../../src/contract/requests.js";
export type * from "../../../src/contract/types.js";
