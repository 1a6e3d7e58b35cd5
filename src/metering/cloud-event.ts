import { type Fields, FieldProblem, recordFields } from "./record.ts";

/** Whether an object says that it is a CloudEvent. */
function isCloudEvent(fields: Fields): boolean {
  return "specversion" in fields;
}

/** What is read of a record or a CloudEvent, and the members of it that mean nothing: of an event, those of its `data`. */
export interface ReadFields {
  readonly record: Fields;
  readonly ignored: readonly string[];
}

export function fieldsOf(fields: Fields): ReadFields {
  if (!isCloudEvent(fields)) {
    return { record: fields, ignored: Object.keys(fields).filter((name) => !recordFields.has(name)) };
  }
  const record = recordOf(fields);
  const told = Object.keys(fields["data"] as Fields);
  return { record, ignored: told.filter((name) => ofEvent.has(name) || !recordFields.has(name)) };
}

/** What the event itself says, whatever its data does. */
const ofEvent: ReadonlySet<string> = new Set(["id", "source", "customer", "time"]);

/**
 * The usage record in a CloudEvent (version 1.0.2, JSON format): `subject` is the customer, `data` has the rest; an
 * extension can have the organisation's id. The identity is (`source`, `id`), section 3.1.1 of the specification.
 */
function recordOf(event: Fields): Fields {
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
