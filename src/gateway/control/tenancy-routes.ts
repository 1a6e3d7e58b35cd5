import { z } from "zod";
import type { Refusal } from "../../base/index.ts";
import { limitChanges, newName, page, pageOf, projectRules, reference } from "./fields.ts";
import { givingRefusal } from "./giving.ts";
import type { KnownModels } from "./known-models.ts";
import type { LimitChanges, TenancyOperations } from "./operations.ts";
import { keyRights } from "./rights-wire.ts";
import { route, type Route } from "./route.ts";
import {
  type ChangedProject,
  changedKey,
  changedOrganisation,
  changedProject,
  createdKey,
  erasedDigestKey,
  key,
  keys,
  organisation,
  organisations,
  project,
  projects,
} from "./wire.ts";

const permission = "operator" as const;
const limits = limitChanges.default({});
const changes = z.strictObject({ name: newName.optional(), limits });
const prepaid = z
  .boolean()
  .optional()
  .meta({ description: "Whether it runs nothing that its wallet cannot pay for; holds within a second." });

/** Organisations, projects and keys. A child never holds more than its parent: asking for more is refused. */
export function tenancyRoutes(tenancy: TenancyOperations, models: KnownModels): readonly Route[] {
  return [...organisationRoutes(tenancy, models), ...projectRoutes(tenancy, models), ...keyRoutes(tenancy, models)];
}

/** Makes or changes what has limits, where these name models that there are; what is odd about them is told. */
async function limited<Made extends object>(
  models: KnownModels,
  limits: LimitChanges,
  make: () => Promise<Made | Refusal>,
): Promise<(Made & { warnings: string[] }) | Refusal> {
  const oddities = await models.oddities(limits);
  if ("outcome" in oddities) return oddities;
  const made = await make();
  return "outcome" in made ? made : { ...made, warnings: [...oddities] };
}

/** A project whose rules leave nothing permitted is told so. */
function doubted(made: ChangedProject | Refusal): ChangedProject | Refusal {
  if ("outcome" in made || made.regimes?.includes("national") !== true || made.country !== null) return made;
  const warning = "The regime national permits nothing until the project names its country.";
  return { ...made, warnings: [...made.warnings, warning] };
}

function organisationRoutes(tenancy: TenancyOperations, models: KnownModels): readonly Route[] {
  const shared = { permission, group: "Organisations" };
  const params = z.object({ organisation: reference });
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/organisations",
        name: "listOrganisations",
        summary: "Lists organisations.",
        query: z.strictObject(page),
        answer: organisations,
      },
      ({ query }) => tenancy.listOrganisations(pageOf(query)),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/organisations",
        name: "createOrganisation",
        summary: "Makes an organisation.",
        body: z.strictObject({ name: newName, prepaid, limits }),
        answer: changedOrganisation,
        status: 201,
      },
      ({ body }) => limited(models, body.limits, () => tenancy.createOrganisation(body)),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/organisations/:organisation",
        name: "showOrganisation",
        summary: "Shows an organisation.",
        params,
        answer: organisation,
      },
      (input) => tenancy.showOrganisation(input.params.organisation),
    ),
    route(
      {
        ...shared,
        method: "PATCH",
        path: "/organisations/:organisation",
        name: "updateOrganisation",
        summary: "Changes an organisation's name, limits, or whether it is prepaid.",
        params,
        body: changes.extend({ prepaid }),
        answer: changedOrganisation,
      },
      ({ params, body }) => limited(models, body.limits, () => tenancy.updateOrganisation(params.organisation, body)),
    ),
  ];
}

function projectRoutes(tenancy: TenancyOperations, models: KnownModels): readonly Route[] {
  const shared = { permission, group: "Projects" };
  const params = z.object({ project: reference });
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/projects",
        name: "listProjects",
        summary: "Lists projects.",
        query: z.strictObject({ ...page, organisation: reference.optional() }),
        answer: projects,
      },
      ({ query }) => tenancy.listProjects({ organisation: query.organisation }, pageOf(query)),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/projects",
        name: "createProject",
        summary: "Makes a project in an organisation.",
        body: z.strictObject({ organisation: reference, name: newName, limits, ...projectRules }),
        answer: changedProject,
        status: 201,
      },
      async ({ body }) => doubted(await limited(models, body.limits, () => tenancy.createProject(body))),
    ),
    route(
      {
        ...shared,
        method: "GET",
        path: "/projects/:project",
        name: "showProject",
        summary: "Shows a project.",
        params,
        answer: project,
      },
      (input) => tenancy.showProject(input.params.project),
    ),
    route(
      {
        ...shared,
        method: "PATCH",
        path: "/projects/:project",
        name: "updateProject",
        summary: "Changes a project's name, rules or limits.",
        params,
        body: changes.extend(projectRules),
        answer: changedProject,
      },
      async ({ params, body }) =>
        doubted(await limited(models, body.limits, () => tenancy.updateProject(params.project, body))),
    ),
    eraseDigestKeyRoute(tenancy),
  ];
}

function eraseDigestKeyRoute(tenancy: TenancyOperations): Route {
  return route(
    {
      permission,
      group: "Projects",
      method: "DELETE",
      path: "/projects/:project/digest-key",
      name: "eraseDigestKey",
      summary:
        "Erases the key that digests in the project's receipts are salted with: nobody can link them to a text any more. A new key salts from now on.",
      params: z.object({ project: reference }),
      answer: erasedDigestKey,
    },
    async (input) => {
      const outcome = await tenancy.eraseDigestKey(input.params.project);
      if ("outcome" in outcome) return outcome;
      return { project: outcome.project, erased: outcome.erased, digestKey: outcome.project.digestKey };
    },
  );
}

function keyRoutes(tenancy: TenancyOperations, models: KnownModels): readonly Route[] {
  const shared = { permission, group: "Keys" };
  const params = z.object({ key: reference });
  return [
    route(
      {
        ...shared,
        method: "GET",
        path: "/keys",
        name: "listKeys",
        summary: "Lists keys, never their secrets.",
        query: z.strictObject({ ...page, project: reference.optional() }),
        answer: keys,
      },
      ({ query }) => tenancy.listKeys({ project: query.project }, pageOf(query)),
    ),
    route(
      {
        ...shared,
        permission: "tenant:grants",
        method: "POST",
        path: "/keys",
        name: "createKey",
        summary:
          "Makes a key in a project. Its secret is shown this once. Once an organisation has a key that may `grants`, " +
          "one that may `contents` or `grants` is made with that.",
        body: z.strictObject({
          project: reference,
          name: newName.optional(),
          limits,
          permissions: keyRights.permissions.optional(),
          reach: keyRights.reach.optional(),
        }),
        answer: createdKey,
        status: 201,
      },
      async ({ body, asker }) => {
        const refusal = await givingRefusal(asker, body, tenancy);
        if (refusal !== undefined) return refusal;
        const isOwn = asker.kind === "key";
        return limited(models, body.limits, () => tenancy.createKey({ ...body, name: body.name, isOwn }));
      },
    ),
    route(
      { ...shared, method: "GET", path: "/keys/:key", name: "showKey", summary: "Shows a key.", params, answer: key },
      (input) => tenancy.showKey(input.params.key),
    ),
    route(
      {
        ...shared,
        method: "PATCH",
        path: "/keys/:key",
        name: "updateKey",
        summary: "Changes a key's name or limits.",
        params,
        body: changes,
        answer: changedKey,
      },
      ({ params, body }) => limited(models, body.limits, () => tenancy.updateKey(params.key, body)),
    ),
    route(
      {
        ...shared,
        method: "POST",
        path: "/keys/:key/revoke",
        name: "revokeKey",
        summary: "Revokes a key for ever; it holds within a second.",
        params,
        answer: key,
      },
      (input) => tenancy.revokeKey(input.params.key),
    ),
  ];
}
