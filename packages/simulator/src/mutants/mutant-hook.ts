/**
 * Module hook of a mutant's process: gives out one module as compiled from its mutated source, everything else as
 * it is. Runs in Node's own hooks thread.
 */
import type { LoadHook } from 'node:module';

export interface MutantHookData {
  /** URL of the built module. */
  readonly url: string;
  /** Its new content. */
  readonly code: string;
}

let replaced: MutantHookData | undefined;

export function initialize(data: MutantHookData): void {
  replaced = data;
}

export const load: LoadHook = async (url, context, nextLoad) => {
  if (url !== replaced?.url) return await nextLoad(url, context);
  return { format: 'module', source: replaced.code, shortCircuit: true };
};
