import { etcdMissing } from "@ojm/testing/etcd";
import { single } from "./etcd-servers.js";
import { conformance } from "./suite.js";

conformance(single, etcdMissing(), "server");
