import { type DataClass, isDataClass } from "../base/index.ts";
import { baseClassOf, classesOf, type PolicyDocument, regimesOf } from "./document.ts";
import type { Question } from "./question.ts";

/** A question with one set of values that could hold for it. */
export interface View {
  readonly question: Question;
  /** Whose values: in words, "the project's data is processed in ...". */
  readonly whose: "the project's" | "the request's";
  readonly dataClass: string;
  readonly baseClass: DataClass;
  /** Whether its class is one of the five, or declared by the policy document. */
  readonly isKnownClass: boolean;
  readonly processing: readonly string[];
  readonly storage: readonly string[];
  readonly regimes: readonly string[];
  readonly purpose: string | undefined;
  readonly legalBasis: string | undefined;
}

/**
 * A question as its project means it, and, where headers ask for anything, once more as these do. A place is permitted where
 * both permit it: whatever a header says, it takes away or changes nothing.
 */
export function viewsOf(question: Question, document: PolicyDocument): readonly View[] {
  const own = viewOf(question, document, {});
  if (question.narrowing === undefined) return [own];
  return [own, { ...viewOf(question, document, question.narrowing), whose: "the request's" }];
}

function viewOf(question: Question, document: PolicyDocument, narrowing: NonNullable<Question["narrowing"]>): View {
  const { project } = question;
  const dataClass = narrowing.dataClass ?? project.dataClass;
  const processing = narrowing.processing ?? project.processing;
  return {
    question,
    whose: "the project's",
    dataClass,
    baseClass: baseClassOf(dataClass, document),
    isKnownClass: isDataClass(dataClass) || classesOf(document).has(dataClass),
    processing,
    storage: project.storage ?? processing,
    regimes: narrowing.regimes ?? project.regimes ?? regimesOf(dataClass, document),
    purpose: narrowing.purpose ?? question.purpose,
    legalBasis: narrowing.legalBasis ?? question.legalBasis,
  };
}
