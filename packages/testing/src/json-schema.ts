import { dirname } from "node:path";
import ts from "typescript";

/** A JSON Schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>;

/** Types as JSON Schemas. */
export interface TypeSchemas {
  /** The schema of each requested field of the interface, by the name of the field. */
  readonly fields: Readonly<Record<string, Schema>>;
  /** The named types that these refer to. */
  readonly definitions: Readonly<Record<string, Schema>>;
}

/**
 * TypeScript has one type of numbers. A field with one of these names may have a fraction; counts and times,
 * which are all others, are whole.
 */
const FRACTIONAL: ReadonlySet<string> = new Set(
  "bars,course,delay,done,duration,durations,elapsed,every,jitter,maxDelay,overdueAfter,p50,p95,rate,startTime,timeout,total,within".split(
    ",",
  ),
);

/**
 * A union with one of these texts is a status, an outcome or its reason, or a backoff. A later version of ojm
 * may write others, so its schema has the known ones, and allows every text.
 */
const OPEN: readonly unknown[] = ["completed", "missed", "policy", "exponential"];

/**
 * The JSON Schemas of the fields of an interface, made from its TypeScript types and their docstrings, so
 * that each public value is described once. `refs`: where the definitions are, such as `#/definitions/`.
 *
 * Interfaces become definitions under their own names. A field that is not named may be added by a later
 * version of ojm, so none is forbidden.
 */
export function schemasOf(file: string, name: string, refs: string): TypeSchemas {
  return new Schemas(file, refs).of(name);
}

class Schemas {
  readonly #file: string;
  readonly #refs: string;
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;
  readonly #definitions = new Map<string, { readonly type: ts.Type; schema: Schema }>();

  constructor(file: string, refs: string) {
    this.#file = file;
    this.#refs = refs;
    const config = ts.findConfigFile(dirname(file), ts.sys.fileExists);
    if (config === undefined) throw new Error(`no tsconfig.json above ${file}`);
    const { options } = ts.parseJsonConfigFileContent(
      { ...ts.readConfigFile(config, ts.sys.readFile).config, include: [] },
      ts.sys,
      dirname(config),
    );
    this.#program = ts.createProgram([file], options);
    this.#checker = this.#program.getTypeChecker();
  }

  of(name: string): TypeSchemas {
    const source = this.#program.getSourceFile(this.#file);
    const found = source?.statements.find((one) => ts.isInterfaceDeclaration(one) && one.name.text === name);
    if (found === undefined) throw new Error(`${this.#file} has no interface ${name}`);
    const properties = this.#checker.getTypeAtLocation(found).getProperties();
    return {
      fields: Object.fromEntries(properties.map((one) => [one.name, this.#fieldOf(one)] as const)),
      definitions: Object.fromEntries(
        [...this.#definitions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, { schema }]) => [key, schema]),
      ),
    };
  }

  #fieldOf(field: ts.Symbol): Schema {
    const schema = this.#schemaOf(this.#checker.getTypeOfSymbol(field), field.name);
    const description = this.#docOf(field);
    return description === "" ? schema : { ...schema, description };
  }

  #docOf(symbol: ts.Symbol | undefined): string {
    return ts
      .displayPartsToString(symbol?.getDocumentationComment(this.#checker))
      .replace(/\{@link[\s*]+([^}]*?)\s*\}/g, "$1")
      .replace(/\n(?! *- |\n)/g, " ");
  }

  /** The schema of a type. `field`: the name of the field that has it. */
  #schemaOf(type: ts.Type, field: string): Schema {
    if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {};
    if (type.flags & ts.TypeFlags.Boolean) return { type: "boolean" };
    if (type.isUnion()) return this.#unionOf(type, field);
    if (type.isStringLiteral() || type.isNumberLiteral()) return { enum: [type.value] };
    if (type.flags & ts.TypeFlags.BooleanLiteral) return { enum: [this.#checker.typeToString(type) === "true"] };
    if (type.flags & ts.TypeFlags.StringLike) return { type: "string" };
    if (type.flags & ts.TypeFlags.NumberLike) return { type: FRACTIONAL.has(field) ? "number" : "integer" };
    if (type.flags & ts.TypeFlags.Null) return { type: "null" };
    const [first] = this.#checker.isArrayLikeType(type) ? this.#checker.getTypeArguments(type as ts.TypeReference) : [];
    if (this.#checker.isTupleType(type)) return this.#tupleOf(type as ts.TupleTypeReference, field);
    if (first !== undefined) return { type: "array", items: this.#schemaOf(first, field) };
    if (!(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)))
      throw new Error(`${field}: no schema for the type ${this.#checker.typeToString(type)}`);
    const name = nameOf(type);
    return name === undefined ? this.#mapOf(type) : this.#refTo(name, type);
  }

  #unionOf(union: ts.UnionType, field: string): Schema {
    const types = union.types.filter((type) => !(type.flags & ts.TypeFlags.Undefined));
    const has = (flags: ts.TypeFlags): boolean => types.some((type) => type.flags & flags);
    // The type of any JSON value: its schema allows everything.
    if (has(ts.TypeFlags.Null) && has(ts.TypeFlags.String) && has(ts.TypeFlags.Number)) return {};
    const isBoolean = types.filter((type) => type.flags & ts.TypeFlags.BooleanLiteral).length === 2;
    const others = types.filter((type) => !isBoolean || !(type.flags & ts.TypeFlags.BooleanLiteral));
    const schemas = [
      ...(isBoolean ? [{ type: "boolean" }] : []),
      ...others.map((type) => this.#schemaOf(type, field)),
    ] as { readonly enum?: readonly unknown[] }[];
    // The compiler has no order of its own for the types of a union.
    const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
    const literals = schemas.flatMap((schema) => schema.enum ?? []).sort(byText);
    const rest = schemas.filter((schema) => schema.enum === undefined).sort(byText);
    const isOpen = literals.some((text) => OPEN.includes(text));
    const all: Schema[] = [
      ...rest,
      ...(isOpen ? [{ type: "string" }] : []),
      ...(literals.length === 0 ? [] : [{ enum: literals }]),
    ];
    const [only] = all;
    return all.length === 1 && only !== undefined ? only : { anyOf: all };
  }

  #tupleOf(type: ts.TupleTypeReference, field: string): Schema {
    const items = this.#checker.getTypeArguments(type).map((item) => this.#schemaOf(item, field));
    return { type: "array", prefixItems: items, minItems: type.target.minLength, maxItems: items.length };
  }

  #refTo(name: string, type: ts.Type): Schema {
    const known = this.#definitions.get(name);
    if (known !== undefined && known.type !== type) throw new Error(`two types have the name ${name}`);
    if (known === undefined) {
      const definition: { readonly type: ts.Type; schema: Schema } = { type, schema: {} };
      this.#definitions.set(name, definition);
      const description = this.#docOf(type.aliasSymbol ?? type.symbol);
      definition.schema = { ...this.#mapOf(type), ...(description !== "" && { description }) };
    }
    return { $ref: `${this.#refs}${name}` };
  }

  #mapOf(type: ts.Type): Schema {
    const properties = this.#checker.getPropertiesOfType(type);
    const values = this.#checker.getIndexInfoOfType(type, ts.IndexKind.String)?.type;
    if (properties.length === 0) {
      const schema = values === undefined ? {} : this.#schemaOf(values, "");
      return { type: "object", ...(Object.keys(schema).length > 0 && { additionalProperties: schema }) };
    }
    return {
      type: "object",
      properties: Object.fromEntries(properties.map((one) => [one.name, this.#fieldOf(one)])),
      required: properties.filter((one) => !(one.flags & ts.SymbolFlags.Optional)).map((one) => one.name),
    };
  }
}

/** The name of a type that was declared as one; types that others make, such as `Omit`, have none. */
function nameOf({ aliasSymbol, aliasTypeArguments, symbol, flags }: ts.Type): string | undefined {
  if (aliasSymbol !== undefined) return aliasTypeArguments === undefined ? aliasSymbol.name : undefined;
  const isInterface = flags & ts.TypeFlags.Object && symbol !== undefined && symbol.flags & ts.SymbolFlags.Interface;
  return isInterface ? symbol.name : undefined;
}
