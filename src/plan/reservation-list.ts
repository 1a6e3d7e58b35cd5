import { z } from "zod";
import { describeInvalid } from "../base/index.ts";
import { type DeviceType, findDevice } from "../pool/index.ts";
import type { DeviceCount } from "../sim/index.ts";
import { PlanError } from "./problem.ts";

/** What `bailiwick reservation list --json` prints, as far as a plan needs it. */
const listSchema = z.array(
  z.object({
    device: z.string().min(1).nullable(),
    state: z.enum(["upcoming", "active", "ended"]),
  }),
);

/**
 * The devices that are, or will be, reserved whole, by their types: each counts once, because its reservations never
 * overlap. `types`: `H100` where all are of one type, else `host_A=H100,host_B=L40S`. Shares are of the pool's own
 * capacity and take no device out of it. Throws a `PlanError` that names the file.
 */
export function readReservations(text: string, path: string, types: string | undefined): readonly DeviceCount[] {
  const parsed = listSchema.safeParse(jsonOf(text, path));
  if (!parsed.success) {
    const { path: steps, message } = parsed.error.issues[0]!;
    const field = steps.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
    throw new PlanError(
      `${path}: ${describeInvalid(`\`${field || "the list"}\``, message)} ` +
        "It is what `bailiwick reservation list --json` prints.",
    );
  }
  const held = parsed.data.filter(({ state }) => state !== "ended").flatMap(({ device }) => device ?? []);
  const devices = [...new Set(held)];
  if (devices.length === 0) return [];
  const typeOf = typesOf(types);
  return devices.map((device) => {
    const type = typeOf.get(device) ?? typeOf.get("");
    if (type !== undefined) return { type, count: 1 };
    throw new PlanError(`${device} is reserved: say what it is, with --reserved-types ${device}=H100`);
  });
}

/** By device; under the empty name, the type of all others. */
function typesOf(text: string | undefined): ReadonlyMap<string, DeviceType> {
  if (text === undefined) return new Map();
  return new Map(
    text.split(",").map((part) => {
      const at = part.lastIndexOf("=");
      return [part.slice(0, Math.max(0, at)).trim(), deviceTypeOf(part.slice(at + 1).trim())];
    }),
  );
}

function deviceTypeOf(id: string): DeviceType {
  const found = findDevice(id);
  if (found.known) return found.device;
  const meant = found.nearest === undefined ? "" : ` (did you mean "${found.nearest}"?)`;
  throw new PlanError(`--reserved-types: there is no device "${id}"${meant}`);
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PlanError(`${path}: that is no JSON; it is what \`bailiwick reservation list --json\` prints`);
  }
}
