import { refuse, type Refusal } from "../base/index.ts";
import type { Operations } from "../gateway/index.ts";
import {
  type Candidate,
  type DataOwner,
  explain,
  type Explained,
  knownSites,
  regimesOf,
  unknownClass,
} from "../policy/index.ts";
import type { Cloud } from "../stages/index.ts";
import type { Tenancy } from "../tenancy/index.ts";

type Explaining = Operations["cloud"]["explain"];
type Explanation = Exclude<Awaited<ReturnType<Explaining>>, Refusal>;

interface Parts {
  readonly cloud: Cloud;
  readonly tenancy: Tenancy;
}

/** Where a project may do something and why: everywhere that offers the model, then each other site of the facts. */
export async function explainPlaces(
  { cloud, tenancy }: Parts,
  { project: reference, model, action = "infer", dataClass }: Parameters<Explaining>[0],
): Promise<Explanation | Refusal> {
  const project = await tenancy.showProject(reference);
  if ("outcome" in project) return project;
  const { policy, document } = cloud.inForce;
  const problem = dataClass === undefined ? undefined : unknownClass(dataClass, document);
  if (problem !== undefined) return refuse("invalid_request", problem, { param: "dataClass" });
  const owner = { ...dataOwner(project), ...(dataClass === undefined ? {} : { dataClass }) };
  const question = { action, project: owner, model: model ?? anyModel };
  const destinations = model === undefined ? cloud.destinations.all : cloud.destinations.offering(model);
  const elsewhere = sitesWithout(cloud.destinations.all, knownSites(policy.standing()));
  const decision = policy.decide(question, destinations);
  return {
    project: { id: project.id, name: project.name },
    model: model ?? null,
    action,
    dataClass: owner.dataClass,
    processing: [...owner.processing],
    regimes: [...(owner.regimes ?? regimesOf(owner.dataClass, document))],
    outcome: decision.outcome,
    candidates: [
      ...explain(policy, question, destinations).map((each) => ({ ...told(each), ready: each.candidate.ready })),
      ...explain(policy, question, elsewhere).map((each) => ({ ...told(each), ready: false })),
    ],
    policyDigest: decision.policyDigest,
  };
}

/** No model of that name has facts. */
const anyModel = "any model";

function sitesWithout(destinations: readonly Candidate[], sites: readonly Candidate[]): readonly Candidate[] {
  const served = new Set(destinations.map(({ site }) => site.name));
  return sites.filter(({ name }) => !served.has(name));
}

function told({ candidate, jurisdiction, isPermitted, words, deciding }: Explained) {
  const { kind, name, site } = candidate;
  return {
    kind,
    destination: name,
    site: { name: site.name, jurisdiction: jurisdiction ?? null },
    permitted: isPermitted,
    reason: words,
    deciding: deciding.map(({ id, effect, article }) => ({ policy: id, effect, article })),
  };
}

type ProjectTold = Exclude<Awaited<ReturnType<Tenancy["showProject"]>>, Refusal>;

/** A project as policy takes it. */
export function dataOwner(project: ProjectTold): DataOwner {
  const { id, organisation, dataClass, processing, storage, regimes, country, exported } = project;
  return {
    id,
    organisation: organisation.id,
    dataClass,
    processing,
    ...(storage === null ? {} : { storage }),
    ...(regimes === null ? {} : { regimes }),
    ...(country === null ? {} : { country }),
    ...(exported === null ? {} : { exported }),
  };
}
