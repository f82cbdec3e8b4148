import { schemaSql } from "@ojm/postgres";
import { describe, expect, it } from "vitest";
import { called } from "../packages/cli/src/testing/called.js";

// packages/postgres/src/open.test.ts runs this SQL on a server, and works with the rights of the role.

describe("ojm schema postgres", () => {
  it("prints the SQL of a store that has tables, for a schema and a role", async () => {
    const { code, out } = await called("/", ["schema", "postgres", "--schema", "jobs", "--role", "worker"]);
    expect({ code, out }).toEqual({ code: 0, out: schemaSql({ schema: "jobs", role: "worker" }) });
    expect(await called("/", ["schema", "postgres"])).toMatchObject({ code: 0, out: schemaSql() });
  });

  it.each([
    [["sqlite"], /"sqlite" has no tables that an administrator creates/],
    [["postgres", "--schema", "a$b"], /"schema" is the name of a schema/],
  ])("rejects ojm schema %j", async (words, message) => {
    const { code, out, err } = await called("/", ["schema", ...words]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(message);
  });
});
