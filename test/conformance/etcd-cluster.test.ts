import { register } from "@ojm/conformance";
import { describe, it } from "vitest";
import { etcdMissing } from "../../packages/etcd/src/testing/servers.js";
import { threeNodes } from "./etcd-servers.js";
import { seed } from "./seed.js";

const missing = etcdMissing();
if (missing === undefined) register({ describe, it }, threeNodes, { profile: "full", seed });
else it.skip(`conformance on etcd-cluster: ${missing}`, () => {});
