import { describe, expect, it } from "vitest";
import { readOptions } from "./options.js";

describe("options of etcd", () => {
  it("all options have defaults", () => {
    expect(readOptions({})).toMatchObject({ hosts: ["127.0.0.1:2379"], keyPrefix: "ojm/", deadline: 5_000 });
  });

  it("hosts may be a text, a text with commas or a list, with and without a port", () => {
    const hosts = ["a:1", "b:2379"];
    expect(readOptions({ hosts: "a:1, b" }).hosts).toEqual(hosts);
    expect(readOptions({ hosts: ["a:1", "b"] }).hosts).toEqual(hosts);
    expect(readOptions({ hosts: "http://a:1/" }).hosts).toEqual(["http://a:1"]);
  });

  it.each([
    [{ host: "a:1" }, 'Did you mean "hosts"'],
    [{ hosts: [] }, "hosts"],
    [{ hosts: 7 }, "hosts"],
    [{ hosts: "https://a,http://b" }, "TLS"],
    [{ hosts: "http://user:hunter2@a:1" }, "hosts"],
    [{ hosts: "127.0.0.1:99999" }, "hosts has the port 99999: a port is a number from 1 to 65535"],
    [{ hosts: ["a:1", "https://b:0"] }, "hosts has the port 0"],
    [{ hosts: "a:1?token=hunter2" }, "hosts has a query or a #: it takes none"],
    [{ hosts: "a?foo=hunter2" }, "hosts has a query or a #: it takes none"],
    [{ hosts: "https://a:1/?foo=hunter2" }, "hosts has a query or a #: it takes none"],
    [{ hosts: "https://a:1#hunter2" }, "hosts has a query or a #: it takes none"],
    [{ deadline: 0 }, "deadline"],
    [{ deadline: "soon" }, "deadline"],
    [{ keyPrefix: 1 }, "keyPrefix"],
    [{ grpcOptions: [] }, "grpcOptions"],
    [{ auth: { user: "a", password: "hunter2" } }, 'no option "user"'],
    [{ auth: { username: "a" } }, "password"],
    [{ credentials: { rootCertificate: "/no/such/file" } }, "rootCertificate: ENOENT"],
    [{ credentials: { privateKey: "-----BEGIN hunter2" } }, "certChain"],
    [{ client: {}, hosts: "a" }, "beside client"],
  ])("the invalid options %j are refused, and the message shows no password", (args, words) => {
    const refused = expect(() => readOptions(args));
    refused.toThrow(expect.objectContaining({ code: "INVALID_CONFIG", message: expect.stringContaining(words) }));
    refused.toThrow(expect.objectContaining({ message: expect.not.stringContaining("hunter2") }));
  });
});
