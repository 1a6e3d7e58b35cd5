import { type AuditLog, createAuditLog } from "../audit/index.ts";
import type { Ids } from "../base/index.ts";
import type { ControlIdentities } from "../gateway/index.ts";
import type { DataFolder } from "../installation/index.ts";
import { createOperators, firstOperator, type Operators } from "../staff/index.ts";
import type { Store } from "../store/index.ts";
import type { Directory } from "../tenancy/index.ts";
import type { BootOptions } from "./options.ts";

/** What operators and tenants may ask for beside the service itself. */
export interface Rights {
  readonly operators: Operators;
  readonly audit: AuditLog;
}

export function openRights(options: BootOptions, { store }: { readonly store: Store }, ids: Ids): Rights {
  const { clock, randomBytes } = options;
  const { db } = store;
  return {
    operators: createOperators({ db, clock, ids, randomBytes }),
    audit: createAuditLog({ db, clock }),
  };
}

/** Whom the control API's secrets belong to. */
export function identitiesOf(folder: DataFolder, { operators }: Rights, directory: Directory): ControlIdentities {
  return {
    operatorToken: folder.operatorToken,
    operatorName: firstOperator,
    findOperator: (token) => operators.find(token),
    identify: (secret) => directory.identify(secret),
  };
}
