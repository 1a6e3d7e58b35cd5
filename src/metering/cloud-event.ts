import { type Fields, FieldProblem } from "./record.ts";

/** Whether an object says that it is a CloudEvent. */
export function isCloudEvent(fields: Fields): boolean {
  return "specversion" in fields;
}

/**
 * The usage record in a CloudEvent (version 1.0.2, JSON format): `subject` is the customer, `data` has the rest; an
 * extension can have the organisation's id. The identity is (`source`, `id`), section 3.1.1 of the specification.
 */
export function recordOf(event: Fields): Fields {
  if (event["specversion"] !== "1.0") throw new FieldProblem('specversion must be "1.0"');
  for (const name of ["id", "source", "type", "subject", "time"]) {
    if (typeof event[name] !== "string" || event[name] === "") throw new FieldProblem(`${name} is missing`);
  }
  const data = event["data"];
  if (typeof data !== "object" || data === null || Array.isArray(data)) {
    throw new FieldProblem("data must be an object: the usage itself, as JSON");
  }
  const { id, source, subject, time, organisation } = event;
  const known = organisation === undefined ? {} : { organisation };
  return { ...(data as Fields), id, source, customer: subject, time, ...known };
}
