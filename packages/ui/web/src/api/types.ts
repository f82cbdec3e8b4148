export type { ActRequest, MaintenanceRequest } from "../../../src/contract/requests.js";
export type * from "../../../src/contract/types.js";
