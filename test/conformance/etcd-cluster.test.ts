import { etcdMissing } from "../../packages/etcd/src/testing/servers.js";
import { threeNodes } from "./etcd-servers.js";
import { conformance } from "./suite.js";

conformance(threeNodes, etcdMissing(), "variant");
