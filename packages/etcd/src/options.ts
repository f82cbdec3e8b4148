import { readFileSync } from "node:fs";
import { ChannelError, checkedDuration, rejectUnknownOptions } from "@ojm/core/backend";

/** A client that the caller made: etcd3's `Etcd3`, or a namespace of one. */
export interface PassedClient {
  readonly kv: object;
  readonly watchClient: object;
  readonly leaseClient: object;
}

/** The checked options, with defaults applied. `docs/reference/stores/etcd.md` describes them. */
export interface Settings {
  readonly hosts: readonly string[];
  readonly keyPrefix: string;
  readonly deadline: number;
  readonly auth: { readonly username: string; readonly password: string } | undefined;
  readonly credentials:
    | { readonly rootCertificate: Buffer | null; readonly privateKey?: Buffer; readonly certChain?: Buffer }
    | undefined;
  readonly grpcOptions: Readonly<Record<string, string | number>>;
  readonly client: PassedClient | undefined;
}

/** The names of the options. */
export const OPTIONS: readonly string[] = [
  "hosts",
  "keyPrefix",
  "deadline",
  "auth",
  "credentials",
  "grpcOptions",
  "client",
];
const CREDENTIALS = ["rootCertificate", "privateKey", "certChain"] as const;

function wrong(message: string): ChannelError {
  return new ChannelError("INVALID_CONFIG", `channel type "etcd": ${message}`);
}

function refuse(message: string): never {
  throw wrong(message);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Checks the options.
 *
 * @throws ChannelError `INVALID_CONFIG`. Its message contains no password and no key
 */
export function readOptions(args: Readonly<Record<string, unknown>>): Settings {
  rejectUnknownOptions("etcd", args, OPTIONS);
  const { keyPrefix = "ojm/", grpcOptions = {} } = args;
  if (typeof keyPrefix !== "string") throw wrong("keyPrefix must be a string");
  const deadline = checkedDuration("deadline", args["deadline"] ?? 5_000, refuse, 1, 2_147_483_647);
  if (!isRecord(grpcOptions)) throw wrong("grpcOptions must be a map");
  return {
    hosts: readHosts(args["hosts"]),
    keyPrefix,
    deadline,
    auth: readAuth(args["auth"]),
    credentials: readCredentials(args["credentials"]),
    grpcOptions: grpcOptions as Record<string, string | number>,
    client: readClient(args),
  };
}

function readHosts(hosts: unknown = "127.0.0.1:2379"): string[] {
  const list = typeof hosts === "string" ? hosts.split(",") : hosts;
  if (!Array.isArray(list) || list.length === 0) throw wrong("hosts must be a string or a list of strings");
  const checked = list.map((host: unknown) => {
    // gRPC would look for a host of that name.
    if (typeof host === "string" && /[?#]/.test(host)) {
      throw wrong("hosts has a query or a #: it takes none. Other options are given beside hosts");
    }
    const match = typeof host === "string" ? /^(https?:\/\/)?([^\s/@]+?)(:\d+)?\/?$/.exec(host.trim()) : null;
    // Keep the value out of the message: a URL may contain a password.
    if (match === null) throw wrong('each of hosts must look like "host:2379" or "https://host:2379"');
    const port = match[3]?.slice(1) ?? "2379";
    // gRPC would throw a RangeError at the first call.
    if (Number(port) < 1 || Number(port) > 65_535) {
      throw wrong(`hosts has the port ${port}: a port is a number from 1 to 65535`);
    }
    return `${match[1] ?? ""}${match[2]}:${port}`;
  });
  if (new Set(checked.map((host) => host.startsWith("https://"))).size > 1) {
    throw wrong("hosts mixes nodes with TLS (https://) and without");
  }
  return checked;
}

function readAuth(auth: unknown): Settings["auth"] {
  if (auth === undefined) return undefined;
  if (!isRecord(auth)) throw wrong("auth must be a map with username and password");
  rejectUnknownOptions("etcd (auth)", auth, ["username", "password"]);
  const { username, password } = auth;
  if (typeof username !== "string" || typeof password !== "string") {
    throw wrong("auth needs a username and a password, both strings");
  }
  return { username, password };
}

function readCredentials(credentials: unknown): Settings["credentials"] {
  if (credentials === undefined) return undefined;
  if (!isRecord(credentials)) throw wrong(`credentials must be a map of ${CREDENTIALS.join(", ")}`);
  rejectUnknownOptions("etcd (credentials)", credentials, CREDENTIALS);
  const [rootCertificate, privateKey, certChain] = CREDENTIALS.map((name) => readPem(name, credentials[name]));
  if ((privateKey === undefined) !== (certChain === undefined)) {
    throw wrong("credentials needs privateKey and certChain together");
  }
  return {
    rootCertificate: rootCertificate ?? null,
    ...(privateKey && certChain ? { privateKey, certChain } : {}),
  };
}

function readPem(name: string, value: unknown): Buffer | undefined {
  if (value === undefined || value instanceof Buffer) return value;
  if (typeof value !== "string") throw wrong(`credentials.${name} must be PEM text, a Buffer or the path of a file`);
  if (value.trimStart().startsWith("-----BEGIN")) return Buffer.from(value, "utf8");
  try {
    return readFileSync(value);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ChannelError("INVALID_CONFIG", `channel type "etcd": cannot read credentials.${name}: ${code}`, {
      cause: error,
    });
  }
}

function readClient(args: Readonly<Record<string, unknown>>): PassedClient | undefined {
  const { client } = args;
  if (client === undefined) return undefined;
  for (const option of ["hosts", "auth", "credentials", "grpcOptions"]) {
    if (args[option] !== undefined) throw wrong(`${option} has no effect beside client: give one of the two`);
  }
  return client as PassedClient;
}
