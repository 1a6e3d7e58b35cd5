import { z } from "zod";
import { day, instant, oneLine, page, pageOf, reference, words } from "./fields.ts";
import type { ReservationOperations } from "./operations.ts";
import { route, type Route } from "./route.ts";
import { createdReservation, reservation, reservations, reservationUsage } from "./wire.ts";

const shared = { permission: "operator", group: "Reservations" } as const;

/** Of `device` and `share` one is asked for, of `until` and `hours` too; which it is, the operations check. */
const wanted = z.strictObject({
  project: reference,
  device: oneLine(200).min(1).optional().meta({ description: "A host, whole." }),
  share: z
    .number()
    .gt(0)
    .lte(1)
    .optional()
    .meta({ description: "Of the pool's capacity: at most 1, with at most 4 decimals." }),
  from: instant.optional().meta({ description: "When it begins; left out: now." }),
  until: instant.optional().meta({ description: "When it ends; this moment is not in it." }),
  // How long it may last, the operations say in their own words.
  hours: z.number().gt(0).lte(1_000_000_000).optional().meta({ description: "How long it lasts, instead of `until`." }),
  note: words.optional(),
});

/** What tenants have to themselves for a time. */
export function reservationRoutes(operations: ReservationOperations): readonly Route[] {
  return [...changingRoutes(operations), ...askingRoutes(operations)];
}

function changingRoutes(operations: ReservationOperations): readonly Route[] {
  return [
    route(
      {
        ...shared,
        method: "POST",
        path: "/reservations",
        name: "createReservation",
        summary:
          "Reserves a device, or a share of the pool, for a project and a time. `warnings`: whom that leaves without a device, or with little.",
        body: wanted,
        answer: createdReservation,
        status: 201,
      },
      ({ body }) => operations.create(body),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/reservations/:reservation/end",
        name: "endReservation",
        summary: "Ends a reservation now; it holds within a second. Ending one that is over changes nothing.",
        params: z.object({ reservation: reference }),
        answer: reservation,
      },
      ({ params }) => operations.end(params.reservation),
    ),
  ];
}

function askingRoutes(operations: ReservationOperations): readonly Route[] {
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/reservations",
        name: "listReservations",
        summary: "Lists reservations, those that are over too. `active`: `true` for those that hold now.",
        query: z.strictObject({ ...page, project: reference.optional(), active: z.enum(["true", "false"]).optional() }),
        answer: reservations,
      },
      ({ query }) => operations.list({ project: query.project, active: query.active === "true" }, pageOf(query)),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/reservations/usage",
        name: "listReservationUsage",
        summary: "The hours of each reservation between two days (UTC), both included, as far as these are over.",
        query: z.strictObject({ ...page, from: day, to: day }),
        answer: reservationUsage,
      },
      ({ query }) => operations.usage({ from: query.from, to: query.to }, pageOf(query)),
    ),
  ];
}
