import { spawnSync } from "node:child_process";
import { Forwarder } from "./forwarder.js";
import { Guardian } from "./guardian.js";
import { inside, ip, ipBatch } from "./namespaces.js";

/**
 * 198.18.0.0/15 is set aside for tests of networks, and used by nobody else. Each network has 254 addresses
 * of it.
 */
const SUBNETS = 256;

/**
 * The way that traffic takes: the bridge on which most hosts are, or one on which those are that are cut off
 * together.
 */
const MAIN = "br0";
const APART = "br1";

/** What is made of it. */
export interface NetworkOptions {
  /** The names of the hosts: at most eight letters each. */
  readonly hosts: readonly string[];
  /** Those whose link can be slow and lose frames, and a folder for that. */
  readonly slow?: { readonly hosts: readonly string[]; readonly folder: string };
}

/**
 * Hosts on a network of their own: each is a network namespace with a link to a bridge, in a namespace that
 * is no host. This process reaches all hosts by a link of its own, to the bridge on which most of them are.
 */
export class PrivateNetwork {
  readonly #name: string;
  readonly #subnet: number;
  readonly #hosts: readonly string[];
  readonly #guardian: Guardian;
  #forwarder: Forwarder | undefined;

  private constructor(name: string, subnet: number, hosts: readonly string[]) {
    this.#name = name;
    this.#subnet = subnet;
    this.#hosts = hosts;
    this.#guardian = new Guardian(name);
  }

  static async start({ hosts, slow }: NetworkOptions): Promise<PrivateNetwork> {
    const subnet = takeSubnet();
    const network = new PrivateNetwork(nameOf(subnet), subnet, hosts);
    try {
      await network.#build(slow);
      return network;
    } catch (error) {
      await network.stop();
      throw error;
    }
  }

  async #build(slow: NetworkOptions["slow"]): Promise<void> {
    const hub = this.#hub;
    ipBatch(
      hub,
      [MAIN, APART].flatMap((bridge) => [
        `link add name ${bridge} type bridge forward_delay 0`,
        `link set ${bridge} up`,
      ]),
    );
    ip("link", "add", "name", this.#name, "type", "veth", "peer", "name", "self", "netns", hub);
    ip("addr", "add", `${this.#addressOf(254)}/24`, "dev", this.#name);
    ip("link", "set", this.#name, "up");
    ipBatch(hub, [`link set dev self master ${MAIN}`, "link set dev self up"]);
    if (slow !== undefined) this.#forwarder = new Forwarder(slow.folder);
    for (const host of this.#hosts) await this.#addHost(host, slow?.hosts.includes(host) === true);
  }

  async #addHost(host: string, slow: boolean): Promise<void> {
    const namespace = this.#namespaceOf(host);
    ip("netns", "add", namespace);
    const [inner, outer] = [
      { namespace, device: "eth0" },
      { namespace: this.#hub, device: host },
    ];
    if (slow) await this.#forwarder?.link(inner, outer);
    else ip("-n", this.#hub, "link", "add", "name", host, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    ipBatch(namespace, [`addr add ${this.address(host)}/24 dev eth0`, "link set dev eth0 up", "link set dev lo up"]);
    ipBatch(this.#hub, [`link set dev ${host} master ${MAIN}`, `link set dev ${host} up`]);
  }

  get #hub(): string {
    return `${this.#name}-hub`;
  }

  #namespaceOf(host: string): string {
    return `${this.#name}-${host}`;
  }

  #addressOf(number: number): string {
    return `198.18.${this.#subnet}.${number}`;
  }

  /** By which the other hosts and this process reach it. */
  address(host: string): string {
    return this.#addressOf(this.#hosts.indexOf(host) + 1);
  }

  /** What a program must be started with to run on that host. */
  on(host: string): readonly string[] {
    return inside(this.#namespaceOf(host));
  }

  /** From now on these hosts reach each other only. What is sent across is lost without a word. */
  cutOff(hosts: readonly string[]): void {
    this.#move(hosts, APART);
  }

  /** These hosts reach the others again. */
  join(hosts: readonly string[]): void {
    this.#move(hosts, MAIN);
  }

  #move(hosts: readonly string[], bridge: string): void {
    ipBatch(
      this.#hub,
      hosts.map((host) => `link set dev ${host} master ${bridge}`),
    );
  }

  /**
   * From now on the links of the slow hosts delay by so many ms, one way, and lose so many frames of a
   * hundred.
   */
  slowDown(delay: number, loss: number): void {
    if (this.#forwarder === undefined) throw new Error("this network was not made with slow hosts");
    this.#forwarder.set(delay, loss);
  }

  /** Kills all that runs on its hosts, and removes it. */
  async stop(): Promise<void> {
    await this.#guardian.cleanUp();
  }
}

function nameOf(subnet: number): string {
  return `ojm-${subnet}`;
}

/** One that nobody has: whoever makes the namespace of its hub first. */
function takeSubnet(): number {
  const start = Math.floor(Math.random() * SUBNETS);
  let said = "";
  for (let i = 0; i < SUBNETS; i++) {
    const subnet = (start + i) % SUBNETS;
    const { status, stderr } = spawnSync("ip", ["netns", "add", `${nameOf(subnet)}-hub`], { encoding: "utf8" });
    if (status === 0) return subnet;
    said = stderr.trim();
  }
  throw new Error(`there is no subnet left: ${said}`);
}
