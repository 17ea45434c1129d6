/** Standard output that is slow, full or gone. */
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { BrokenPipeError } from './cli-error.ts';
import { OutputStream } from './output-stream.ts';

test('write waits while the reader is slow', async () => {
  const waiting: (() => void)[] = [];
  const slow = new Writable({ highWaterMark: 4, write: (_chunk, _encoding, done) => waiting.push(done) });
  const output = new OutputStream(slow);
  let written = false;
  const writing = output.write('more than four').then(() => {
    written = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(written).toBe(false);
  waiting.shift()!();
  await writing;
});

test('flush resolves only when everything has left', async () => {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      setImmediate(() => {
        chunks.push(chunk.toString());
        done();
      });
    },
  });
  const output = new OutputStream(stream);
  await output.write('a');
  await output.write('b');
  await output.flush();
  expect(chunks.join('')).toBe('ab');
});

test('a closed pipe is a BrokenPipeError, while waiting and afterwards', async () => {
  const broken = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
  });
  const output = new OutputStream(broken);
  await expect(output.write('data')).rejects.toBeInstanceOf(BrokenPipeError);
  await expect(output.write('more')).rejects.toBeInstanceOf(BrokenPipeError);
  await expect(output.flush()).rejects.toBeInstanceOf(BrokenPipeError);
});

test('a full disk is its own error', async () => {
  const full = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('no space left'), { code: 'ENOSPC' })),
  });
  await expect(new OutputStream(full).write('data')).rejects.toThrow('no space left');
});
