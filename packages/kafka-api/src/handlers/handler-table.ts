/** Every handler, by API. A handler that is missing here is not advertised, and its API is unknown. */
import type { ApiName } from '../schemas/api-table.ts';
import { apiVersionsHandler } from './api-versions.ts';
import type { Handlers, Surroundings } from './handler.ts';

export function handlerTable(around: Surroundings): Partial<Handlers> {
  const handlers: Partial<Handlers> = {};
  return Object.assign(handlers, {
    apiVersions: apiVersionsHandler(around, () => Object.keys(handlers) as ApiName[]),
  });
}
