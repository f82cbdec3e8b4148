import { etcdMissing } from "../../packages/etcd/src/testing/servers.js";
import { single } from "./etcd-servers.js";
import { conformance } from "./suite.js";

conformance(single, etcdMissing());
