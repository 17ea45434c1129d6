/**
 * How V8 collects garbage in a process that is a node. The bytes of messages lie outside V8's heap but count
 * towards its next full collection; with a heap as small as a node's, that means tens of them a second under load,
 * for bytes that a young collection frees almost for nothing.
 */
import { setFlagsFromString } from 'node:v8';

/** Room between two full collections, in percent of what the last one left. */
const HEAP_GROWTH_PERCENT = 400;

/** To be called before the node starts. */
export function favourYoungCollections(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
}
