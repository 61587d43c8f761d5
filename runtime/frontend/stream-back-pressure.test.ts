import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { collectGarbage } from '../core/garbage.js';
import { aMessage } from '../testing/ask-model.js';
import { aTensor } from '../testing/build.js';
import { HAS_SHARED_MEMORY, SharedMemoryFile } from '../testing/shared-memory-file.js';
import { openStream, storyOf, type OpenStream } from '../testing/open-stream.js';
import { GRPC } from './grpc-status.js';
import { FEW_REQUESTS, MOST_UNDER_WAY_BYTES } from './model-stream-infer.js';

const LARGE = Array<number>(100_000).fill(1);

function ask({ call }: OpenStream, ...ids: string[]): void {
  for (const id of ids) call.write(aMessage({ id }));
}

/** A field of a message, with its length in five bytes. */
function field(number: number, value: Buffer): Buffer {
  const length = [0, 7, 14, 21].map((bits) => ((value.length >>> bits) & 0x7f) | 0x80);
  return Buffer.concat([Buffer.of(number * 8 + 2, ...length, 0), value]);
}

/** A caller who has read one answer, and three of 400 kB that wait. */
function withSlowReader(): OpenStream {
  const stream = openStream();
  stream.call.readsSlowly = true;
  ask(stream, 'a', 'b', 'c', 'd');
  for (const id of ['a', 'b', 'c', 'd']) stream.model.at(id).answer(LARGE);
  return stream;
}

describe('a stream whose caller reads slowly', () => {
  it('sends no more than the caller takes', () => {
    const stream = withSlowReader();
    expect(storyOf(stream)).toEqual(['a']);

    stream.call.drain();
    expect(storyOf(stream)).toEqual(['a', 'b']);
    stream.call.readsSlowly = false;
    stream.call.drain();

    expect(storyOf(stream)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is not read while too much waits', () => {
    const stream = withSlowReader();
    ask(stream, 'e');
    expect([stream.call.paused, stream.model.asked.length]).toEqual([true, 4]);

    stream.call.drain();

    expect([stream.call.paused, stream.model.asked.length]).toEqual([false, 5]);
  });

  it('is slowed down by many small answers, too', () => {
    const stream = openStream();
    stream.call.readsSlowly = true;
    for (let sent = 0; sent < 10_000; sent++) {
      ask(stream, String(sent));
      stream.model.asked.at(-1)!.end(new RuntimeError('QUEUE_FULL', 'full'));
      if (stream.call.paused) break;
    }

    expect(stream.call.paused).toBe(true);
    expect(stream.model.asked.length).toBeLessThan(5_000);
  });

  it('is read as ever while answers only come late', () => {
    const stream = openStream();
    ask(stream, ...Array.from({ length: 3_000 }, (_, index) => String(index)));

    expect([stream.call.paused, stream.model.asked.length]).toEqual([false, 3_000]);
  });

  it('ends when everything has been read', () => {
    const stream = openStream();
    stream.call.readsSlowly = true;
    ask(stream, 'a', 'b');
    stream.call.halfClose();
    stream.model.at('a').answer();
    stream.model.at('b').answer();
    expect([storyOf(stream), stream.call.finished]).toEqual([['a'], false]);

    stream.call.drain();

    expect([storyOf(stream), stream.call.finished]).toEqual([['a', 'b'], true]);
  });

  it('is sent what it waits for before the server ends', () => {
    const stream = withSlowReader();

    stream.health.endStreams();
    expect(stream.call.failures).toEqual([]);
    stream.call.readsSlowly = false;
    stream.call.drain();

    expect(storyOf(stream)).toEqual(['a', 'b', 'c', 'd']);
    expect(stream.call.failures.map(({ code }) => code)).toEqual([GRPC.UNAVAILABLE]);
  });

  it('drops what waits when the caller goes', () => {
    const stream = withSlowReader();

    stream.call.cancel();
    stream.call.drain();

    expect([storyOf(stream), stream.call.failures]).toEqual([['a'], []]);
  });

  it('holds back the responses of a decoupled model, too', () => {
    const stream = openStream();
    stream.call.readsSlowly = true;
    stream.call.write(aMessage({ id: 'd', model_name: 'many' }));
    const asking = stream.decoupled.at('d');
    for (let sent = 0; sent < 4; sent++)
      asking.respond(aTensor('OUTPUT0', [1, LARGE.length], LARGE));
    expect([storyOf(stream), stream.call.paused]).toEqual([['d…'], true]);

    stream.call.readsSlowly = false;
    stream.call.drain();

    expect([storyOf(stream).length, stream.call.paused]).toEqual([4, false]);
  });
});

describe('a decoupled model whose caller reads slowly', () => {
  function held(): { stream: OpenStream; told: () => number; isBehind: () => boolean } {
    const stream = openStream();
    stream.call.readsSlowly = true;
    stream.call.write(aMessage({ id: 'd', model_name: 'many' }));
    const asking = stream.decoupled.at('d');
    for (let sent = 0; sent < 4; sent++)
      asking.respond(aTensor('OUTPUT0', [1, LARGE.length], LARGE));
    const pace = asking.call.pace!;
    let told = 0;
    pace.onReady({ readerReady: () => told++ });
    return { stream, told: () => told, isBehind: () => pace.isBehind };
  }

  it('is told once when there is room again', () => {
    const { stream, told, isBehind } = held();
    expect([isBehind(), told()]).toEqual([true, 0]);

    stream.call.readsSlowly = false;
    stream.call.drain();
    stream.call.drain();

    expect([isBehind(), told()]).toEqual([false, 1]);
  });

  it('is let go when the caller goes', () => {
    const { stream, told, isBehind } = held();

    stream.call.cancel();

    expect([isBehind(), told()]).toEqual([false, 1]);
  });
});

describe('a stream with very much under way', () => {
  it('is not read while it waits for its turn with more than may be under way', () => {
    const stream = openStream();
    const large = Array<number>(5_000_000).fill(1);
    ask(stream, 'a', 'b', 'c', 'd', 'e');
    for (const id of ['b', 'c', 'd', 'e']) stream.model.at(id).answer(large);
    expect([storyOf(stream), stream.call.paused]).toEqual([[], true]);

    stream.model.at('a').answer();

    expect([storyOf(stream), stream.call.paused]).toEqual([['a', 'b', 'c', 'd', 'e'], false]);
  });

  it('is read while the first waits and the others are answered: it may wait for what they begin', () => {
    const stream = openStream();
    ask(stream, 'first');
    for (let sent = 0; sent < 10_000; sent++) {
      ask(stream, String(sent));
      stream.model.asked.at(-1)!.answer();
    }

    expect([stream.call.paused, stream.model.asked.length]).toEqual([false, 10_001]);
  });

  it('is not read until a large request has been answered', () => {
    const stream = openStream();
    const data = Buffer.alloc(65 * 2 ** 20);
    stream.call.write(aMessage({ id: 'a', raw_input_contents: [data] }));
    expect(stream.call.paused).toBe(true);

    stream.model.at('a').answer();

    expect(stream.call.paused).toBe(false);
  });

  it('counts the answers that requests will have, once it knows how large they are', () => {
    const stream = openStream();
    const answer = Array<number>(2 ** 18).fill(1);
    ask(stream, 'first');
    stream.model.at('first').answer(answer);
    for (let sent = 0; sent < 1_000 && !stream.call.paused; sent++) ask(stream, String(sent));
    expect(stream.call.paused).toBe(true);
    const underWay = stream.model.asked.length - 1;
    expect(underWay).toBeGreaterThanOrEqual(FEW_REQUESTS);
    expect(underWay).toBeLessThan(FEW_REQUESTS + MOST_UNDER_WAY_BYTES / (answer.length * 4) + 2);

    for (const { request } of stream.model.asked.slice(1, 10)) stream.model.at(request.id).answer();

    expect(stream.call.paused).toBe(false);
  });

  it('counts failures that wait to end it', () => {
    const stream = openStream({ metadata: { triton_grpc_error: 'true' } });
    ask(stream, 'first');
    for (let sent = 0; sent < 20_000 && !stream.call.paused; sent++) {
      ask(stream, String(sent));
      stream.model.asked.at(-1)!.end(new RuntimeError('BACKEND_FAILED', 'no'));
    }

    expect(stream.call.paused).toBe(true);
  });

  it.skipIf(!HAS_SHARED_MEMORY)('counts inputs that are in shared memory', () => {
    const stream = openStream();
    const byteSize = 65 * 2 ** 20;
    const file = new SharedMemoryFile(Buffer.of(1));
    file.resize(byteSize);
    stream.sharedMemory.register({ name: 'r', key: file.key, offset: 0, byteSize });
    file.remove();
    const parameters = {
      shared_memory_region: { string_param: 'r' },
      shared_memory_byte_size: { int64_param: byteSize },
    };
    const inputs = [{ name: 'INPUT0', datatype: 'UINT8', shape: [1, byteSize], parameters }];
    stream.call.write(aMessage({ id: 'a', inputs, raw_input_contents: [] }));
    stream.sharedMemory.unregisterAll();
    expect(stream.call.paused).toBe(true);

    stream.model.at('a').answer();

    expect(stream.call.paused).toBe(false);
  });

  it('counts inputs as large as they are, however few bytes they came in', () => {
    const stream = openStream();
    const numbers = 9 * 2 ** 20;
    const start = aMessage({ id: 'a', inputs: [], raw_input_contents: [] });
    // InferTensorContents.int64_contents, packed: a byte for each, and eight in a tensor.
    const contents = field(5, field(3, Buffer.alloc(numbers)));
    const input = [field(1, Buffer.from('INPUT0')), field(2, Buffer.from('INT64')), contents];
    stream.call.write(Buffer.concat([start, field(5, Buffer.concat(input))]));

    expect(stream.call.paused).toBe(true);
  });

  it('holds no inputs of what has been answered and waits for its turn', async () => {
    const stream = openStream();
    ask(stream, 'a', 'b');
    const input = new WeakRef(stream.model.at('b').request.inputs[0]!);

    stream.model.at('b').answer();
    stream.model.asked.splice(1);
    // A WeakRef holds its target until the event loop has gone on.
    await new Promise(setImmediate);
    collectGarbage();

    expect([storyOf(stream), input.deref()]).toEqual([[], undefined]);
  });

  it('is not read while requests without end are under way', () => {
    const stream = openStream();
    for (let sent = 0; sent < 20_000 && !stream.call.paused; sent++) ask(stream, String(sent));

    expect(stream.call.paused).toBe(true);
    expect(stream.model.asked.length).toBeGreaterThan(10_000);
  });
});
