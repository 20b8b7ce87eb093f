/**
 * The prefix by which a test's title cites what it proves: numbers of PRODUCT.md (`1.2`), rules of PROTOCOL.md (`P4`)
 * and its invariants (`I1`). The gate in coverage.spec.ts reads these calls from the sources.
 */
export function verifies(...ids: [string, ...string[]]): string {
  return `[${ids.join(' ')}] `;
}
