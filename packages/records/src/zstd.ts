/**
 * The zstd codec: Node's own where it has one (22.15 and later), else `@cloudpss/zstd`. Frames are inflated one
 * by one, each against what is left of the limit.
 */
import zlib from 'node:zlib';
import type * as CloudpssZstd from '@cloudpss/zstd/napi';
import { corrupt, refuseAbove, refusePieces, tooLarge } from './decompressed-size.ts';
import { loadCodec } from './native-module.ts';
import { type ZstdFrame, zstdFrames } from './zstd-frame.ts';

const DEFAULT_LEVEL = 3;

interface ZstdEngine {
  compress(bytes: Buffer, level: number): Buffer;
  /** @throws {MillraceError} MESSAGE_TOO_LARGE as soon as the output passes `maxBytes`. */
  inflate(frame: ZstdFrame, maxBytes: number): Buffer;
}

let loaded: ZstdEngine | undefined;

function engine(): ZstdEngine {
  loaded ??= nodeEngine() ?? cloudpssEngine();
  return loaded;
}

export function compressZstd(bytes: Buffer, level = DEFAULT_LEVEL): Buffer {
  return engine().compress(bytes, level);
}

export function decompressZstd(bytes: Buffer, maxBytes: number): Buffer {
  const frames = zstdFrames(bytes);
  if (frames.length === 0) throw corrupt('there is no zstd frame');
  refusePieces(frames.length, bytes.length);
  refuseAbove(
    maxBytes,
    frames.reduce((total, { contentBytes }) => total + (contentBytes ?? 0), 0),
  );
  const parts: Buffer[] = [];
  let leftBytes = maxBytes;
  for (const frame of frames) {
    const part = engine().inflate(frame, leftBytes);
    leftBytes -= part.length;
    if (leftBytes < 0) throw tooLarge(maxBytes);
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

interface NodeZstd {
  zstdCompressSync(bytes: Buffer, options: { params: Record<number, number> }): Buffer;
  zstdDecompressSync(bytes: Buffer, options: { maxOutputLength: number }): Buffer;
  constants: { ZSTD_c_compressionLevel: number };
}

function nodeEngine(): ZstdEngine | undefined {
  const node = zlib as unknown as Partial<NodeZstd>;
  const { zstdCompressSync: deflate, zstdDecompressSync: inflate, constants } = node;
  if (deflate === undefined || inflate === undefined || constants === undefined) return undefined;
  return {
    compress: (bytes, level) => deflate(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } }),
    inflate({ bytes }, maxBytes) {
      try {
        // zlib takes no limit of 0; the caller counts again.
        return inflate(bytes, { maxOutputLength: Math.max(1, maxBytes) });
      } catch (error) {
        throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(maxBytes) : error;
      }
    },
  };
}

function cloudpssEngine(): ZstdEngine {
  // The package's main entry awaits at its top level, which a synchronous load cannot.
  const zstd = loadCodec<typeof CloudpssZstd>('zstd', '@cloudpss/zstd/napi');
  return {
    compress: (bytes, level) => zstd.compress(bytes, level) as Buffer,
    inflate(frame, maxBytes) {
      if (frame.boundBytes <= maxBytes) return zstd.decompress(frame.bytes) as Buffer;
      return inflateBlocks(new zstd._NapiBindings.Decompressor(), frame, maxBytes);
    },
  };
}

interface BlockDecompressor {
  data(bytes: Buffer, take: (part: Buffer) => void): void;
  end(take: (part: Buffer) => void): void;
}

/** Block by block, so that at most one block (128 KiB) is inflated beyond the limit. */
function inflateBlocks(decompressor: BlockDecompressor, frame: ZstdFrame, maxBytes: number): Buffer {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  const take = (part: Buffer): void => {
    parts.push(part);
    sizeBytes += part.length;
  };
  let start = 0;
  for (const [blocks, end] of frame.blockEnds.entries()) {
    decompressor.data(frame.bytes.subarray(start, end), take);
    refuseAbove(maxBytes, sizeBytes);
    refusePieces(blocks, end + sizeBytes);
    start = end;
  }
  if (start < frame.bytes.length) decompressor.data(frame.bytes.subarray(start), take);
  decompressor.end(take);
  refuseAbove(maxBytes, sizeBytes);
  return Buffer.concat(parts, sizeBytes);
}
