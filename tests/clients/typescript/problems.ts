// What refuses a request is told by its type; each problem has its own members.
import type { operations } from "./generated/api.js";

type Answers = operations["create_ticket"]["responses"];
type Refusal = Answers[Exclude<keyof Answers, 201>] extends infer Answer
  ? Answer extends { content: { "application/problem+json": infer Document } } ? Document : never
  : never;

/** The ids of the customers that a new ticket's customer may be. */
export function duplicatesOf(problem: Refusal | undefined): number[] {
  if (problem?.type !== "/problems/probable-duplicate") return [];
  return problem.duplicates.map(({ customer_id }) => customer_id);
}

/** What a person is told of a refusal. */
export function explain(problem: Refusal): string {
  switch (problem.type) {
    case "/problems/invalid-input":
    case "/problems/idempotency-mismatch":
      return Object.entries(problem.errors).map(([field, messages]) => `${field}: ${messages.join(" ")}`).join("; ");
    case "/problems/odometer-backwards":
      return `The last reading was ${problem.odometer.toFixed()}.`;
    default:
      return problem.detail;
  }
}
