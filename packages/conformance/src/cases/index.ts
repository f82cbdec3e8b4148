import type { CaseGroup } from "../case/case.js";
import { cas } from "./cas/index.js";
import { concurrency, linearizability } from "./concurrency/index.js";
import { errors } from "./errors/index.js";
import { keys } from "./keys/index.js";
import { lifecycle } from "./lifecycle/index.js";
import { locks } from "./locks/index.js";
import { roundTrips } from "./round-trips/index.js";
import { scans } from "./scans/index.js";
import { scope } from "./scope/index.js";
import { supports } from "./supports/index.js";
import { transactions } from "./transactions/index.js";
import { ttl } from "./ttl/index.js";
import { values } from "./values/index.js";
import { verbs } from "./verbs/index.js";
import { watch } from "./watch/index.js";

/** All cases. */
export const groups: readonly CaseGroup[] = [
  supports,
  verbs,
  keys,
  values,
  scope,
  scans,
  cas,
  transactions,
  ttl,
  watch,
  lifecycle,
  errors,
  concurrency,
  linearizability,
  locks,
  roundTrips,
];
