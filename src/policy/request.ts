import type { EntityJson, StatefulAuthorizationCall, TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";
import type { Looks } from "./cedar/looks.ts";
import type { RequestValues } from "./cedar/placeholders.ts";
import { adequateAmong, placesOf, type Standing } from "./facts/standing.ts";
import type { Place } from "./places.ts";
import type { Candidate, Question } from "./question.ts";
import type { View } from "./views.ts";

/** One question about one place, as Cedar is asked it. */
export interface CedarRequest {
  /** Everything that its answer depends on, in one text. */
  readonly key: string;
  readonly call: Omit<StatefulAuthorizationCall, "preparsedPolicySetId">;
  /** All values, for words: also those that no policy looks at. */
  readonly values: RequestValues;
}

type Values = Record<string, unknown>;

/**
 * Only what the policies look at is sent, because each value costs Cedar time; so what is sent is all that the answer
 * depends on, and its text is the key by which the answer is kept. Where no policy names a single project or host, two of
 * them with the same values share an answer.
 */
export function requestOf(
  view: View,
  candidate: Candidate,
  place: Place,
  standing: Standing,
  looks: Looks,
): CedarRequest {
  const values = {
    principal: principalValues(view, standing),
    resource: resourceValues(place),
    context: contextValues(view, place, standing),
  };
  const principal = entity(principalOf(view), values.principal, principalParents(view), looks.principal, looks);
  const resource = entity(
    resourceOf(candidate),
    values.resource,
    resourceParents(view, candidate),
    looks.resource,
    looks,
  );
  const call = {
    principal: principal.uid as TypeAndId,
    action: { type: "Action", id: view.question.action },
    resource: resource.uid as TypeAndId,
    context: pruned(values.context, looks.context) as StatefulAuthorizationCall["context"],
    entities: [principal, resource],
  };
  return { key: JSON.stringify([call.action.id, call.context, call.entities]), call, values };
}

/** Of an entity that no policy can name, only its type counts. */
const anyone = "any";

function entity(
  uid: TypeAndId,
  attributes: Values,
  parents: readonly TypeAndId[],
  looked: ReadonlySet<string>,
  { entities }: Looks,
): EntityJson {
  return {
    uid: entities.has(uid.type) ? uid : { type: uid.type, id: anyone },
    attrs: pruned(attributes, looked) as EntityJson["attrs"],
    parents: parents.filter(({ type }) => entities.has(type)),
  };
}

function pruned(values: Values, looked: ReadonlySet<string>): Values {
  if (looked.has("all")) return values;
  return Object.fromEntries(Object.entries(values).filter(([name]) => looked.has(name)));
}

function principalOf({ question }: View): TypeAndId {
  const staff = staffOf(question);
  if (staff !== undefined) return { type: "Staff", id: staff.name };
  return question.key === undefined ? { type: "Project", id: question.project.id } : { type: "Key", id: question.key };
}

/** Staff look at data; whatever else is done is done by a project. */
function staffOf({ action, staff }: Question) {
  return action === "support-access" ? staff : undefined;
}

function principalParents({ question, regimes }: View): readonly TypeAndId[] {
  const { id, organisation } = question.project;
  const isProject = staffOf(question) === undefined && question.key === undefined;
  return [
    ...(isProject ? [] : [{ type: "Project", id }]),
    ...(organisation === undefined ? [] : [{ type: "Organisation", id: organisation }]),
    ...[...new Set(regimes)].sort().map((regime) => ({ type: "Regime", id: regime })),
  ];
}

function resourceOf({ kind, name }: Candidate): TypeAndId {
  return { type: { host: "Host", upstream: "Upstream", site: "Site" }[kind], id: name };
}

/** A client wrote it, and Cedar reads UTF-8 only, which can hold no half of a character. */
function modelName({ model }: Question): string {
  return model.toWellFormed();
}

function resourceParents({ question }: View, { kind, site }: Candidate): readonly TypeAndId[] {
  const model = { type: "Model", id: modelName(question) };
  return kind === "site" ? [model] : [{ type: "Site", id: site.name }, model];
}

function principalValues(view: View, standing: Standing): Values {
  const { dataClass, processing, storage, question } = view;
  const staff = staffOf(question);
  return defined({
    dataClass,
    processing,
    storage,
    country: question.project.country,
    ...(staff && { from: staff.from, fromWithin: placesOf(staff.from, standing), isGranted: staff.isGranted }),
  });
}

function resourceValues(place: Place): Values {
  const { jurisdiction, country, within, certificates, evidence, makers, makerCountries, isWithdrawn } = place;
  const engine = place.engine === undefined ? undefined : defined({ ...place.engine });
  return defined({
    jurisdiction,
    country,
    within,
    certificates,
    evidence,
    makers,
    makerCountries,
    engine,
    isWithdrawn,
  });
}

function contextValues(view: View, place: Place, standing: Standing): Values {
  const { dataClass, baseClass, purpose, legalBasis, question } = view;
  return defined({
    dataClass,
    baseClass,
    purpose: purpose?.toWellFormed(),
    legalBasis: legalBasis?.toWellFormed(),
    importer: defined(importerValues(view, place, standing)),
    ownership: ownershipValues(place),
    model: defined({ name: modelName(question), ...standing.models.get(question.model) }),
    exported: exportedValues(question, standing),
  });
}

/** Where staff ask, it is they who reach the data, from where they are. */
function importerValues({ question }: View, { importer }: Place, standing: Standing): Values {
  const staff = staffOf(question);
  if (staff === undefined) return { ...importer };
  const access = staff.from === undefined ? undefined : [staff.from];
  const all = [...new Set([...importer.law, ...(access ?? [])])];
  return { ...importer, access, adequate: adequateAmong(all, importer.certificates, standing) };
}

function ownershipValues({ ownership }: Place): Values {
  const { hasRights, ...shares } = ownership;
  const decimals = Object.entries(shares).map(([name, arg]) => [name, { __extn: { fn: "decimal", arg } }]);
  return { ...Object.fromEntries(decimals), hasRights };
}

/** What was declared of another year says nothing of this one. */
function exportedValues({ project: { exported } }: Question, { yearInChina }: Standing): Values | undefined {
  if (exported === undefined || exported.year !== yearInChina) return undefined;
  const { individuals, sensitiveIndividuals, mechanisms } = exported;
  const { isCriticalInfrastructure = false, hasImportantData = false } = exported;
  return { individuals, sensitiveIndividuals, mechanisms, isCriticalInfrastructure, hasImportantData };
}

function defined(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
