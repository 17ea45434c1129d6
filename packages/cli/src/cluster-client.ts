/** What commands use of the SDK, as shapes: a `Millrace` fits, and so does a test's fake. */
import type {
  Admin,
  Consumer,
  ConsumerBatch,
  ConsumerOptions,
  MillraceOptions,
  Producer,
  ProducerOptions,
} from '@millrace/client';

type PublicShape<T> = Pick<T, keyof T>;

export type AdminClient = Omit<PublicShape<Admin>, typeof Symbol.asyncDispose>;
export type ProducerClient = Pick<Producer, 'isFull' | 'whenReady' | 'send' | 'flush' | 'close'>;
export interface ConsumerClient
  extends Pick<
    Consumer,
    | 'assign'
    | 'seek'
    | 'pause'
    | 'position'
    | 'beginningOffsets'
    | 'endOffsets'
    | 'offsetsForTimes'
    | 'subscribe'
    | 'poll'
    | 'commit'
    | 'close'
  > {
  batches(options?: { readonly signal?: AbortSignal }): AsyncIterable<ConsumerBatch>;
}

export interface ClusterClient {
  admin(): AdminClient;
  producer(options?: ProducerOptions): ProducerClient;
  consumer(options?: ConsumerOptions): ConsumerClient;
  close(): Promise<void>;
}

/** Makes a client without waiting for the cluster: it connects on first use. */
export type Connect = (options: MillraceOptions) => ClusterClient;
