import { type Clock, createIds, refuse } from "../../base/index.ts";
import { paged } from "./fake-pages.ts";
import { instantOf } from "./fields.ts";
import type { ReservationOperations, TenancyOperations } from "./operations.ts";
import type { Reservation } from "./wire.ts";

/** Reservations in memory, of the one device "cpu": for tests of what asks for them. */
export function createFakeReservations(
  clock: Clock,
  tenancy: Pick<TenancyOperations, "showProject">,
): ReservationOperations {
  const ids = createIds(clock);
  const made: Reservation[] = [];
  const hourMs = 3_600_000;
  return {
    create: async (input) => {
      const project = await tenancy.showProject(input.project);
      if ("outcome" in project) return project;
      if (input.device !== undefined && input.device !== "cpu") {
        return refuse("device_not_found", `There is no device "${input.device}". Known: cpu.`, { param: "device" });
      }
      const before = made.find(({ device, state }) => device === input.device && state !== "ended");
      if (input.device !== undefined && before !== undefined) {
        return refuse("reservation_conflict", `cpu is reserved (${before.id}).`, { param: "device" });
      }
      const from = input.from ?? instantOf(clock.nowMs());
      const until = input.until ?? instantOf(Date.parse(from) + (input.hours ?? 0) * hourMs);
      made.push({
        id: ids.mint("rsv"),
        project: { id: project.id, name: project.name },
        organisation: project.organisation,
        device: input.device ?? null,
        share: input.share ?? null,
        from: instantOf(Date.parse(from)),
        until: instantOf(Date.parse(until)),
        endedAt: null,
        state: Date.parse(from) <= clock.nowMs() ? "active" : "upcoming",
        note: input.note ?? null,
        createdAt: instantOf(clock.nowMs()),
      });
      const warnings =
        input.device === undefined ? [] : ["cpu is the only device: nobody else has one while it holds."];
      return { ...made.at(-1)!, warnings };
    },
    list: ({ active }, page) =>
      Promise.resolve(
        paged(
          made.filter(({ state }) => !active || state === "active"),
          page,
        ),
      ),
    end: (reference) => {
      const at = made.findIndex(({ id }) => id === reference);
      if (at < 0) return Promise.resolve(refuse("not_found", "There is none.", { param: "reservation" }));
      const before = made[at]!;
      made[at] = { ...before, state: "ended", endedAt: before.endedAt ?? instantOf(clock.nowMs()) };
      return Promise.resolve(made[at]);
    },
    usage: (_, page) =>
      Promise.resolve(
        paged(
          made.map(({ id, organisation, project, device, share }) => ({
            reservation: id,
            organisation: organisation.name,
            project: project.name,
            device,
            share,
            hours: "1.5",
          })),
          page,
        ),
      ),
  };
}
