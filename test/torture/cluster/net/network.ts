import { spawnSync } from "node:child_process";
import { Forwarder } from "./forwarder.js";
import { Guardian } from "./guardian.js";
import { inside, ip, ipBatch } from "./namespaces.js";

/**
 * 198.18.0.0/15 is reserved for tests of networks, so nothing else uses it. Each network takes 254 addresses
 * of it.
 */
const SUBNETS = 256;

/** The bridges: most hosts are on `MAIN`. Hosts that are cut off together are on `APART`. */
const MAIN = "br0";
const APART = "br1";

/** The options of a private network. */
export interface NetworkOptions {
  /** The names of the hosts: at most eight letters each. */
  readonly hosts: readonly string[];
  /** The hosts whose links can delay and drop frames, and a folder for the files of the forwarder. */
  readonly slow?: { readonly hosts: readonly string[]; readonly folder: string };
}

/**
 * Hosts on a private network. Each host is a network namespace with a link to a bridge. The bridges are in a
 * namespace of their own, the hub. This process reaches the hosts by its own link to the bridge `MAIN`.
 */
export class PrivateNetwork {
  readonly #name: string;
  readonly #subnet: number;
  readonly #hosts: readonly string[];
  readonly #guardian: Guardian;
  readonly #apart: Set<string> = new Set();
  /** The hosts that have the floating address. */
  readonly #floats: Set<string> = new Set();
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

  /** The address by which the other hosts and this process reach `host`. */
  address(host: string): string {
    return this.#addressOf(this.#hosts.indexOf(host) + 1);
  }

  /** The command prefix that starts a program on that host. */
  on(host: string): readonly string[] {
    return inside(this.#namespaceOf(host));
  }

  /**
   * Cuts these hosts off: from now on they reach only each other. Frames between them and the others are
   * dropped silently.
   */
  cutOff(hosts: readonly string[]): void {
    this.#move(hosts, APART);
    for (const host of hosts) this.#apart.add(host);
  }

  /** Connects these hosts to the others again. */
  join(hosts: readonly string[]): void {
    this.#move(hosts, MAIN);
    for (const host of hosts) this.#apart.delete(host);
  }

  /** Whether a host is cut off. */
  isApart(host: string): boolean {
    return this.#apart.has(host);
  }

  /** An address that one host after the other has, see {@link float}. */
  get floating(): string {
    return this.#addressOf(253);
  }

  /**
   * Gives the floating address to `host`, or to none. Hosts that are cut off cannot be reached: they keep the
   * address, and their knowledge of its owner.
   */
  float(host: string | undefined): void {
    const address = `${this.floating}/32`;
    for (const owner of this.#floats) {
      if (owner === host || this.#apart.has(owner)) continue;
      ipBatch(this.#namespaceOf(owner), [`addr del ${address} dev eth0`]);
      this.#floats.delete(owner);
    }
    if (host !== undefined && !this.#floats.has(host)) {
      ipBatch(this.#namespaceOf(host), [`addr add ${address} dev eth0`]);
      this.#floats.add(host);
    }
    for (const each of this.#hosts) {
      if (!this.#apart.has(each)) ipBatch(this.#namespaceOf(each), [`neigh flush to ${this.floating} dev eth0`]);
    }
    ip("neigh", "flush", "to", this.floating, "dev", this.#name);
  }

  #move(hosts: readonly string[], bridge: string): void {
    ipBatch(
      this.#hub,
      hosts.map((host) => `link set dev ${host} master ${bridge}`),
    );
  }

  /**
   * Sets the one-way delay in ms and the loss in percent for the links of the slow hosts. Throws if the
   * network has no slow hosts.
   */
  slowDown(delay: number, loss: number): void {
    if (this.#forwarder === undefined) throw new Error("this network was not made with slow hosts");
    this.#forwarder.set(delay, loss);
  }

  /** Kills every process on its hosts, and removes the network. */
  async stop(): Promise<void> {
    await this.#guardian.cleanUp();
  }
}

function nameOf(subnet: number): string {
  return `ojm-${subnet}`;
}

/**
 * Takes a free subnet by creating the namespace of its hub: only one process can create it. Throws if no
 * subnet is left.
 */
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
