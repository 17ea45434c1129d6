/** The assignors that this coordinator knows, by the name that members ask for. */
import type { Assignor } from './assignor.ts';
import { assignRange } from './range.ts';
import { assignUniform } from './uniform.ts';

export const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map<string, Assignor>([
  ['uniform', assignUniform],
  ['range', assignRange],
]);
