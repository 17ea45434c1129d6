/** What a batch of the log may become where its records are read. The log itself takes any batch as it is. */
import { MiB } from '@millrace/core';
import type { DecompressionLimits } from '@millrace/records';

/** As for readers: nobody reads what inflates beyond. */
export const LIMITS: DecompressionLimits = { maxDecompressedBytes: 64 * MiB };
