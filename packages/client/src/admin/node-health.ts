/** What each node says of itself by grpc.health.v1. Asks every address once, all at the same time; judges nothing. */
import { type MillraceError, toMillraceError } from '@millrace/core';
import { healthService, ServingStatus } from '@millrace/protocol';
import { formatAddress } from '../cluster/address.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Address } from '../cluster/transport.ts';
import type { AdminOptions, NodeHealth } from './admin-shapes.ts';

export async function nodesHealth(
  cluster: Cluster,
  addresses: readonly Address[],
  options: AdminOptions,
): Promise<NodeHealth[]> {
  return await Promise.all(addresses.map((address) => nodeHealth(cluster, address, options)));
}

async function nodeHealth(
  cluster: Cluster,
  address: Address,
  { timeoutMs = cluster.config.requestTimeoutMs, signal }: AdminOptions,
): Promise<NodeHealth> {
  const { host, port } = address;
  const where = { address: formatAddress({ host, port }) };
  try {
    const limits = { timeoutMs, ...(signal && { signal }) };
    const { status } = await cluster
      .connectionAt(address)
      .unary(healthService.check, { service: '' }, limits);
    return { ...where, status: status === ServingStatus.SERVING ? 'SERVING' : 'NOT_SERVING' };
  } catch (error) {
    const failure: MillraceError = toMillraceError(error);
    if (failure.code === 'CANCELLED' || failure.code === 'CLOSED') throw failure;
    return { ...where, status: 'UNREACHABLE', error: failure };
  }
}
