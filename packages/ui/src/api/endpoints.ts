import type { Endpoint } from "../contract/endpoint.js";
import { sessionRequestSchema } from "../contract/requests.js";
import { actEndpoints } from "./acts.js";
import { manyEndpoints } from "./many-acts.js";
import { queueActEndpoints } from "./queue-acts.js";
import { readEndpoints } from "./read.js";

/** All endpoints. The handlers of the session endpoints are in `openUiServer`. */
export const endpoints: readonly Endpoint[] = [
  ...readEndpoints,
  {
    id: "login",
    method: "POST",
    path: "/api/v1/session",
    summary: "Exchange the launch token, or a name and a password, for a cookie",
    role: "none",
    body: sessionRequestSchema,
    answer: "me",
  },
  {
    id: "logout",
    method: "DELETE",
    path: "/api/v1/session",
    summary: "End the session",
    role: "read",
    answer: "act",
  },
  ...actEndpoints,
  ...queueActEndpoints,
  ...manyEndpoints,
];
