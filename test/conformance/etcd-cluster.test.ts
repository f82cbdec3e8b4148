import { etcdMissing } from "@ojm/testing/etcd";
import { threeNodes } from "./etcd-servers.js";
import { conformance } from "./suite.js";

conformance(threeNodes, etcdMissing(), "variant");
