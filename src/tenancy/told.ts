import type { KeyPermission, KeyReach, Tier } from "../base/index.ts";
import type { ExportedFigures } from "../store/index.ts";
import { type LimitsTold, limitsTold } from "./limits.ts";
import type { findKey, findOrganisation, findProject } from "./references.ts";

interface Named {
  readonly id: string;
  readonly name: string;
}
export interface OrganisationTold extends Named {
  readonly prepaid: boolean;
  readonly createdAt: string;
  readonly limits: LimitsTold;
}
export interface ProjectTold extends Named {
  readonly organisation: Named;
  readonly dataClass: string;
  readonly processing: string[];
  readonly storage: string[] | null;
  readonly regimes: string[] | null;
  readonly country: string | null;
  readonly exported: ExportedFigures | null;
  readonly unsupported: "refuse" | "warn";
  readonly tier: Tier;
  readonly weight: number;
  readonly keepContentSeconds: number | null;
  readonly digestKey: string;
  readonly createdAt: string;
  readonly limits: LimitsTold;
}
export interface KeyTold extends Named {
  readonly project: Named;
  readonly organisation: Named;
  readonly createdAt: string;
  readonly revokedAt: string | null;
  readonly permissions: KeyPermission[];
  readonly reach: KeyReach;
  readonly limits: LimitsTold;
}

export function organisationTold(row: Awaited<ReturnType<typeof findOrganisation>>): OrganisationTold {
  const { id, name, isPrepaid: prepaid } = row;
  return { id, name, prepaid, createdAt: row.createdAt.toISOString(), limits: limitsTold(row) };
}

export function projectTold(
  row: Omit<Awaited<ReturnType<typeof findProject>>, "digestKey"> & { readonly digestKey: string | null },
): ProjectTold {
  return {
    id: row.id,
    name: row.name,
    organisation: { id: row.organisation, name: row.organisationName },
    dataClass: row.dataClass,
    processing: row.processing,
    storage: row.storage,
    regimes: row.regimes,
    country: row.country,
    exported: row.exported,
    unsupported: row.unsupported,
    tier: row.tier,
    weight: row.weight,
    keepContentSeconds: row.keepContentSeconds === null ? null : Number(row.keepContentSeconds),
    digestKey: row.digestKey ?? "",
    createdAt: row.createdAt.toISOString(),
    limits: limitsTold(row),
  };
}

export function keyTold(row: Awaited<ReturnType<typeof findKey>>): KeyTold {
  return {
    id: row.id,
    name: row.name,
    project: { id: row.project, name: row.projectName },
    organisation: { id: row.organisationId, name: row.organisationName },
    createdAt: row.createdAt.toISOString(),
    revokedAt: row.revokedAt?.toISOString() ?? null,
    permissions: row.permissions,
    reach: row.reach,
    limits: limitsTold(row),
  };
}
