import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

/** Checks a value that a grammar has let through; throws where it does not match, which is a defect of the grammar. */
export type Check = (json: string) => void;

/**
 * The second pair of eyes on what the grammar made: the whole JSON text against its schema, by a validator that knows
 * nothing of grammars. The schema is compiled when it is first needed. Formats are the grammar's alone.
 */
export function checkOf(schema: unknown, what: string): Check {
  let validate: ValidateFunction | undefined;
  return (json) => {
    validate ??= compile(schema);
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch (error) {
      throw new Error(`${what} is not JSON, although its grammar was followed to the end`, { cause: error });
    }
    if (validate(value)) return;
    const { instancePath = "", message = "" } = validate.errors?.[0] ?? {};
    throw new Error(`${what} does not match its schema, although its grammar was followed: ${instancePath} ${message}`);
  };
}

function compile(schema: unknown): ValidateFunction {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false });
  if (typeof schema !== "object" || schema === null) return ajv.compile(schema as boolean);
  // The schema's own name and dialect would make the validator look for others'.
  const { $schema: _dialect, $id: _name, ...rest } = schema as Record<string, unknown>;
  return ajv.compile(rest);
}
