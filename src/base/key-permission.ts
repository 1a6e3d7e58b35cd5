/** What a key may do: ask models, or use one of its tenant's rights. A key that an application holds needs `use` only. */
export const keyPermissions = ["use", "audit", "contents", "erase", "grants", "export"] as const;
export type KeyPermission = (typeof keyPermissions)[number];
/** Those that open a tenant's content, or let somebody else open it: the tenant gives them, as soon as it can. */
export const openingPermissions: ReadonlySet<KeyPermission> = new Set(["contents", "grants"]);
/** Whose rights a key uses: those of its own project, or of all projects of its organisation. */
export const keyReaches = ["project", "organisation"] as const;
export type KeyReach = (typeof keyReaches)[number];
